// axios. It reads the proxy variables and sends even https URLs to the proxy as they are, without a tunnel.
'use strict';
const axios = require('axios');
const { Readable } = require('stream');
const { workOff, pairsOf } = require('./exchange_list.cjs');

async function answerOf({ url, method, headers, body, chunked }) {
  const got = await axios({
    url,
    method,
    headers: Object.fromEntries(headers),
    data: chunked ? Readable.from([body]) : body.length > 0 ? body : undefined,
    responseType: 'arraybuffer',
    maxRedirects: 0,
    validateStatus: () => true,
  });
  return { status: got.status, body: got.data, headers: pairsOf(got.request.res.rawHeaders) };
}

workOff(answerOf);
