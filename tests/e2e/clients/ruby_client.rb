# Ruby's Net::HTTP, as it comes: proxy and trust from the environment, one connection for all.
require 'base64'
require 'net/http'
require 'stringio'

jobs_file, answers_file = ARGV
root = URI(ENV.fetch('API_ROOT'))
http = Net::HTTP.new(root.host, root.port)
http.use_ssl = root.scheme == 'https'
http.ipaddr = ENV['DIAL'].split(':').first if ENV['DIAL']

# A request of any method; Ruby wants to know whether it and its answer have bodies.
def request_for(job)
  name, method, path, framing, body, *fields = job
  request = Net::HTTPGenericRequest.new(method, !body.empty?, method != 'HEAD', path)
  fields.each { |field| request.[]=(*field.split(': ', 2)) }
  return [name, request] if body.empty?
  bytes = Base64.strict_decode64(body)
  if framing == 'chunked'
    request['Transfer-Encoding'] = 'chunked'
    request.body_stream = StringIO.new(bytes)
  else
    request.body = bytes
  end
  [name, request]
end

def line_of(name, status, error, body, headers)
  [name, status, error.gsub(/\s+/, ' '), Base64.strict_encode64(body), *headers].join("\t") + "\n"
end

File.open(answers_file, 'w') do |answers|
  http.start do
    File.foreach(jobs_file, chomp: true) do |line|
      name, request = request_for(line.split("\t", -1))
      begin
        answer = http.request(request)
        headers = answer.canonical_each.map { |field, value| "#{field}: #{value}" }
        answers << line_of(name, answer.code, '', answer.body || '', headers)
      rescue StandardError => e
        answers << line_of(name, 0, e.inspect, '', [])
      end
    end
  end
end
