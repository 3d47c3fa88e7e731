// The other side of the wire: the driver alone, sending again the commands of Redis that ours were heard to send, over as
// many connections, between two processes in the same roles. It puts the request's name into them, writes the reply's
// JSON, and that is all: it checks nothing, and has no deadlines, counters, leases, order or batches.
import { randomBytes } from 'node:crypto';
import { openDriver } from '../support/redis.js';
import { DEADLINE_MS, NAMESPACE, requestOf } from './load.js';
import { fill, prepare } from './templates.js';

/** Starts the loop that answers. */
export async function openService(url, { way, recording }) {
  const [driver, other] = await Promise.all([openDriver(url), openDriver(url)]);
  await loadScripts(driver, recording);
  const answers = answersOf(recording);
  const serve = async (template, names) => {
    await Promise.all(template.work.map((command) => driver.sendCommand(fill(command, names))));
    await Promise.all(template.reply.map((command) => driver.sendCommand(fill(command, names))));
  };
  if (way === 'streams') return serveStreams({ driver, reader: other, recording, answers, serve });
  await other.pSubscribe(recording.patterns, (payload, channel) => {
    const at = channel.lastIndexOf(':');
    void serve(answers.get(`${channel.slice(0, at)}\n${payload}`), namesOf(channel.slice(at + 1)));
  });
  return { close: () => end([driver, other]) };
}

function namesOf(request) {
  const dot = request.indexOf('.');
  return { request, inbox: request.slice(0, dot), number: request.slice(dot + 1) };
}

// By what the service gets: channel and payload, or session and path.
function answersOf({ templates }) {
  const answers = new Map();
  for (const { ask, ...rest } of Object.values(templates).flat()) {
    const [[name, channel, payload]] = ask;
    const prepared = { work: prepare(rest.work), reply: prepare(rest.reply) };
    if (name === 'PUBLISH') answers.set(`${channel.pieces[0].slice(0, -1)}\n${utf8(payload)}`, prepared);
    else answers.set(fieldsOf(ask[0].slice(ask[0].indexOf('c'))).key, prepared);
  }
  return answers;
}

function utf8(text) {
  return Buffer.from(text, 'latin1').toString();
}

/** Of an entry: what is asked, by session and payload, and the request. */
function fieldsOf(fields) {
  const all = {};
  for (let i = 0; i + 1 < fields.length; i += 2) all[fields[i]] = fields[i + 1];
  return { key: `${all.c}\n${all.s}\n${all.p}`, request: all.r };
}

/** Opens what asks: `once(i, kind)` resolves when request `i` was answered. */
export async function openClient(url, { way, inFlight, sessions, recording }) {
  if (way === 'connection')
    return { once: (i, kind) => askOverOwnConnection(url, i, kind, sessions), close: () => undefined };
  const waiting = way === 'list' ? inFlight : 0;
  const drivers = await Promise.all(Array.from({ length: 2 + waiting }, () => openDriver(url)));
  const [driver, subscriber, ...blocking] = drivers;
  const close = () => end(drivers);
  await loadScripts(driver, recording);
  const part = way === 'inline' ? 'work' : 'ask';
  const templates = Object.fromEntries(
    Object.entries(recording.templates).map(([kind, all]) => [kind, all.map((template) => prepare(template[part]))]),
  );
  const templateOf = (i, kind) => templates[kind][i % templates[kind].length];
  if (way === 'inline') {
    const send = (command) => driver.sendCommand(fill(command, {}));
    return { once: (i, kind) => Promise.all(templateOf(i, kind).map(send)), close };
  }
  const inbox = randomBytes(12).toString('hex').slice(0, 16);
  if (way === 'list') return { once: askByList({ driver, blocking, inbox, templateOf }), close };
  // No Map: see src/transport/client/pending-requests.ts.
  const pending = {};
  await subscriber.subscribe(`${NAMESPACE}:async:${inbox}`, (message) => {
    const number = Number(message.slice(0, message.indexOf(' ')));
    pending[number](message);
    delete pending[number];
  });
  let last = 0;
  const once = (i, kind) =>
    new Promise((resolve, reject) => {
      last += 1;
      pending[last] = resolve;
      const names = { request: `${inbox}.${last}`, inbox, number: String(last) };
      for (const command of templateOf(i, kind)) driver.sendCommand(fill(command, names)).catch(reject);
    });
  return { once, close };
}

// Each connection waits for one list at a time.
function askByList({ driver, blocking, inbox, templateOf }) {
  let last = 0;
  return async (i, kind) => {
    last += 1;
    const names = { request: `${inbox}-${last}` };
    const waiting = blocking.pop();
    await Promise.all(
      templateOf(i, kind).map((command) =>
        (command[0] === 'BLPOP' ? waiting : driver).sendCommand(fill(command, names)),
      ),
    );
    blocking.push(waiting);
  };
}

// The paper's way, with the driver as it comes.
async function askOverOwnConnection(url, i, kind, sessions) {
  const [command, session, payload] = requestOf(kind, i, sessions);
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const driver = await openDriver(url, { commandOptions: {} });
  const name = `${command}:${session}:${randomBytes(8).toString('hex')}`;
  const [, reply] = await Promise.all([
    driver.publish(`${NAMESPACE}:ss:${name}`, text),
    driver.blPop(`${NAMESPACE}:async:${name}`, DEADLINE_MS / 1000),
  ]);
  driver.destroy();
  if (reply === null) throw new Error(`No answer to ${name}.`);
}

async function serveStreams({ driver, reader, recording, answers, serve }) {
  for (const [key, value] of Object.entries(recording.leases)) await driver.sendCommand(['SET', key, value]);
  const at = recording.read.findIndex((argument) => argument.toUpperCase() === 'STREAMS') + 1;
  const streams = recording.read.slice(at, at + (recording.read.length - at) / 2);
  const positions = Object.fromEntries(streams.map((key) => [key, '0-0']));
  const read = async () => {
    for (;;) {
      const reply = await reader.sendCommand([...recording.read.slice(0, at), ...streams, ...Object.values(positions)]);
      for (const [key, entries] of Object.entries(reply ?? {})) {
        for (const [entry, fields] of entries) {
          positions[key] = entry;
          const { key: asked, request } = fieldsOf(fields);
          void serve(answers.get(asked), { ...namesOf(request), entry });
        }
      }
    }
  };
  let isClosed = false;
  const reading = read().catch((error) => {
    if (!isClosed) throw error;
  });
  return {
    async close() {
      isClosed = true;
      end([reader, driver]);
      await reading;
    },
  };
}

async function loadScripts(driver, { scripts }) {
  for (const source of scripts) await driver.sendCommand(['SCRIPT', 'LOAD', Buffer.from(source, 'latin1')]);
}

function end(drivers) {
  for (const driver of drivers) driver.destroy();
}
