// Node's http and https modules. They know nothing of proxies by themselves; applications take an agent for that, most
// often https-proxy-agent and http-proxy-agent.
'use strict';
const http = require('http');
const https = require('https');
const tls = require('tls');
const { workOff, pairsOf, dialled } = require('./exchange_list.cjs');

class DiallingAgent extends https.Agent {
  createConnection(options, callback) {
    return tls.connect({ ...options, ...dialled(), servername: options.host }, callback);
  }
}

function agentFor(url) {
  if (dialled()) return new DiallingAgent({ keepAlive: true });
  const proxy = process.env.USE_PROXY_AGENT && process.env.https_proxy;
  if (!proxy) return new (url.startsWith('https:') ? https : http).Agent({ keepAlive: true });
  return url.startsWith('https:') ? require('https-proxy-agent')(proxy) : require('http-proxy-agent')(proxy);
}

let agent;

const answerOf = (job) =>
  new Promise((resolve, reject) => {
    agent ||= agentFor(job.url);
    const headers = Object.fromEntries(job.headers);
    if (!job.chunked && job.body.length > 0) headers['Content-Length'] = job.body.length;
    const { request } = job.url.startsWith('https:') ? https : http;
    const sent = request(job.url, { method: job.method, headers, agent }, (got) => {
      const pieces = [];
      got.on('data', (piece) => pieces.push(piece));
      const headersOf = () => pairsOf(got.rawHeaders);
      got.on('end', () => resolve({ status: got.statusCode, body: Buffer.concat(pieces), headers: headersOf() }));
      got.on('error', reject);
    });
    sent.on('error', reject);
    if (job.body.length > 0) sent.write(job.body);
    sent.end();
  });

workOff(answerOf).then(() => agent.destroy());
