// undici, which knows of proxies only by its ProxyAgent. That puts everything into CONNECT tunnels, plain HTTP too.
'use strict';
const { Agent, ProxyAgent, request } = require('undici');
const { workOff } = require('./exchange_list.cjs');

const dispatcher = process.env.USE_PROXY_AGENT ? new ProxyAgent(process.env.https_proxy) : new Agent();

async function answerOf({ url, method, headers, body, chunked }) {
  const sent = chunked ? (async function* pieces() { yield body; })() : body.length > 0 ? body : null;
  const got = await request(url, { dispatcher, method, headers: headers.flat(), body: sent });
  const fields = Object.entries(got.headers).flatMap(([name, values]) => [values].flat().map((value) => [name, value]));
  return { status: got.statusCode, body: Buffer.from(await got.body.arrayBuffer()), headers: fields };
}

workOff(answerOf).then(() => dispatcher.close());
