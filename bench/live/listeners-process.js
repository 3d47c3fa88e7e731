// Listens to many live streams over raw sockets, so that what it takes of the cores is little, in a process of its own.
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { serveParent } from '../support/child.js';

const OPENED_AT_ONCE = 200;
const LOOK_MS = 20;
const DEADLINE_MS = 60_000;

let sockets = [];
let open = 0;
let marks = [];
const arrivals = new Map();

serveParent({
  /** Opens a stream for each of `count` visitors, and waits until each is told that it is open. Milliseconds of all. */
  async open({ port, count }) {
    const started = performance.now();
    open = 0;
    for (let i = 0; i < count; i += 1) {
      sockets.push(listen(port, i));
      await until(() => sockets.length - open < OPENED_AT_ONCE);
    }
    await until(() => open === count);
    return performance.now() - started;
  },
  /** Which notices are to come, by their marks. */
  expect(given) {
    marks = given.marks;
    for (const mark of marks) arrivals.set(mark, []);
  },
  /** When the notices came, of each that it was told of by all: milliseconds of the epoch. */
  async arrived() {
    await until(() => marks.every((mark) => arrivals.get(mark).length >= sockets.length));
    const found = marks.map((mark) => arrivals.get(mark));
    const more = found.find((times) => times.length !== sockets.length);
    if (more) throw new Error(`${more.length} notices came where ${sockets.length} visitors wait for one.`);
    arrivals.clear();
    return found;
  },
  close() {
    for (const socket of sockets) socket.destroy();
    sockets = [];
  },
});

function listen(port, i) {
  const socket = connect({ port, host: '127.0.0.1' });
  let rest = '';
  let isOpen = false;
  socket.setEncoding('latin1');
  socket.on('connect', () =>
    socket.write(`GET /live/${i} HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n\r\n`),
  );
  socket.on('data', (part) => {
    const text = rest + part;
    // An event ends with an empty line.
    const end = text.lastIndexOf('\n\n') + 1;
    rest = text.slice(end);
    const whole = text.slice(0, end);
    if (!isOpen && whole.includes('event: open')) {
      isOpen = true;
      open += 1;
    }
    if (!whole.includes('event: notice')) return;
    for (const mark of marks)
      if (whole.includes(mark)) arrivals.get(mark)?.push(performance.timeOrigin + performance.now());
  });
  socket.on('error', (error) => {
    throw error;
  });
  return socket;
}

async function until(holds) {
  const end = performance.now() + DEADLINE_MS;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`Streams wait in vain: ${open} of ${sockets.length} are open.`);
    await sleep(LOOK_MS);
  }
}
