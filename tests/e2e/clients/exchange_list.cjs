// What exchange_list.py says, for Node.
'use strict';
const fs = require('fs');

const readJobs = (file) =>
  fs.readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => {
    const [name, method, path, framing, body, ...fields] = line.split('\t');
    const headers = fields.map((field) => {
      const colon = field.indexOf(': ');
      return [field.slice(0, colon), field.slice(colon + 2)];
    });
    const url = process.env.API_ROOT + path;
    return { name, method, url, chunked: framing === 'chunked', body: Buffer.from(body, 'base64'), headers };
  });

// Node's list of raw headers has names and values in turn.
const pairsOf = (raw) => raw.filter((_, n) => n % 2 === 0).map((name, n) => [name, raw[2 * n + 1]]);

const lineOf = (name, { status, error = '', body = Buffer.alloc(0), headers = [] }) =>
  [name, status, error.replace(/\s+/g, ' '), Buffer.from(body).toString('base64'),
    ...headers.map(([field, value]) => `${field}: ${value}`)].join('\t') + '\n';

// Works off the list with a function from a job to a promise of its answer.
async function workOff(answerOf) {
  const [, , jobsFile, answersFile] = process.argv;
  const lines = [];
  for (const job of readJobs(jobsFile)) {
    const answer = await answerOf(job).catch((error) => ({ status: 0, error: `${error} ${error.cause || ''}` }));
    lines.push(lineOf(job.name, answer));
  }
  fs.writeFileSync(answersFile, lines.join(''));
}

const dialled = () => {
  const [host, port] = (process.env.DIAL || '').split(':');
  return port ? { host, port: Number(port) } : null;
};

module.exports = { workOff, pairsOf, dialled };
