import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** Java's own HttpClient, as it comes: what it is told, it is told by system properties. */
public class JavaClient {
  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  public static void main(String[] arguments) throws Exception {
    List<String> lines = new ArrayList<>();
    for (String job : Files.readAllLines(Path.of(arguments[0]))) lines.add(answerTo(job.split("\t", -1)));
    Files.write(Path.of(arguments[1]), lines);
  }

  private static String answerTo(String[] job) throws InterruptedException {
    List<String> answer = new ArrayList<>(List.of(job[0]));
    try {
      HttpResponse<byte[]> got = CLIENT.send(request(job), BodyHandlers.ofByteArray());
      answer.addAll(List.of("" + got.statusCode(), "", Base64.getEncoder().encodeToString(got.body())));
      got.headers().map().forEach((name, values) -> values.forEach(value -> answer.add(name + ": " + value)));
    } catch (IOException error) {
      answer.addAll(List.of("0", error.toString().replaceAll("\\s+", " "), ""));
    }
    return String.join("\t", answer);
  }

  private static HttpRequest request(String[] job) {
    byte[] bytes = Base64.getDecoder().decode(job[4]);
    BodyPublisher body = bytes.length == 0 ? BodyPublishers.noBody() : BodyPublishers.ofByteArray(bytes);
    if (job[3].equals("chunked")) body = BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(bytes));
    URI uri = URI.create(System.getenv("API_ROOT") + job[2]);
    HttpRequest.Builder request = HttpRequest.newBuilder(uri).method(job[1], body);
    for (int n = 5; n < job.length; ++n) {
      String[] field = job[n].split(": ", 2);
      request.header(field[0], field[1]);
    }
    return request.build();
  }
}
