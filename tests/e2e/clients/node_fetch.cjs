// Node's own fetch. It ignores proxy variables before Node 22.21, so it is pointed at a base URL.
'use strict';
const { workOff } = require('./exchange_list.cjs');

async function answerOf({ url, method, headers, body, chunked }) {
  const sent = chunked ? new Blob([body]).stream() : body.length > 0 ? body : undefined;
  const duplex = chunked ? 'half' : undefined;
  const got = await fetch(url, { method, headers, body: sent, redirect: 'manual', duplex });
  return { status: got.status, body: Buffer.from(await got.arrayBuffer()), headers: [...got.headers] };
}

workOff(answerOf);
