// A process of its own that asks for pages over connections that stay open, so that its work is not the page's process's.
// Raw sockets and requests that were written before: it shares the cores with what it measures, so it must be cheap. Each
// page is checked: its status, its session's mark, the marks that all pages have, and its end.
import { createHmac } from 'node:crypto';
import { once as event } from 'node:events';
import { connect } from 'node:net';
import { serveParent } from './child.js';
import { runFor, speedOf } from './window.js';

const PAGES = 12;
const TICK_MS = 1;

let requests = [];
let marks = [];
let sockets = [];
let asked = 0;

serveParent({
  /** Which sessions ask: their tokens, signed as express-session signs cookies, and what a page of each must contain. */
  know({ visitors, secret }) {
    marks = visitors.map(({ mark }) => mark);
    requests = visitors.map(({ token }) => {
      const signature = createHmac('sha256', secret).update(token).digest('base64').replace(/=+$/, '');
      return `Cookie: connect.sid=${encodeURIComponent(`s:${token}.${signature}`)}\r\n`;
    });
  },
  async open({ port, connections }) {
    sockets = await Promise.all(Array.from({ length: connections }, () => openSocket(port)));
    asked = 0;
  },
  /** Where one page is there, the next is asked for on the same connection, for `ms`. */
  async run({ path, ms, all }) {
    const bytes = bytesRead();
    const free = [...sockets];
    const once = async (i) => {
      const socket = free.pop();
      await visit(socket, path, i, all);
      free.push(socket);
    };
    const found = await runFor({ ms, inFlight: sockets.length, from: asked, once });
    return told(found, bytes);
  },
  /** So many pages a second are asked for, whether those before are there or not; a page's time counts from the moment
   *  when it was due. */
  async pace({ path, ms, all, perSecond }) {
    const bytes = bytesRead();
    const found = await pace({ ms, perSecond, once: (socket, i) => visit(socket, path, i, all) });
    return told(found, bytes);
  },
  close() {
    for (const socket of sockets) socket.destroy();
    sockets = [];
  },
});

function told(found, bytesBefore) {
  asked += found.count;
  return { ...speedOf(found), count: found.count, httpBytes: (bytesRead() - bytesBefore) / found.count };
}

function bytesRead() {
  return sockets.reduce((sum, { bytesRead }) => sum + bytesRead, 0);
}

async function openSocket(port) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await event(socket, 'connect');
  let text = '';
  let length;
  socket.setEncoding('latin1');
  socket.on('data', (part) => {
    text += part;
    length ??= wholeLength(text);
    if (length === undefined || text.length < length) return;
    const page = text;
    text = '';
    length = undefined;
    socket.answered(page);
  });
  socket.on('error', (error) => socket.failed?.(error));
  socket.on('close', () => socket.failed?.(new Error('The page closed a connection.')));
  return socket;
}

function wholeLength(text) {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const length = /\r\ncontent-length: (\d+)/i.exec(text);
  if (!length) throw new Error(`A page without a length: ${text.slice(0, 500)}`);
  return end + 4 + Number(length[1]);
}

function visit(socket, path, i, all) {
  const visitor = i % requests.length;
  const page = Math.floor(i / requests.length + i) % PAGES;
  return new Promise((resolve, reject) => {
    socket.failed = reject;
    socket.answered = (text) => {
      const isWhole = text.startsWith('HTTP/1.1 200') && text.includes(marks[visitor]) && text.endsWith('</html>\n');
      if (isWhole && all.every((mark) => text.includes(mark))) resolve();
      else reject(new Error(`${path} of visitor ${visitor} is not as it should be: ${text.slice(0, 2_000)}`));
    };
    socket.write(`GET ${path}/p${page} HTTP/1.1\r\nHost: bench\r\nAccept: text/html\r\n${requests[visitor]}\r\n`);
  });
}

function pace({ ms, perSecond, once }) {
  const count = Math.ceil((ms / 1000) * perSecond);
  const latencies = [];
  const free = [...sockets];
  const due = [];
  let next = 0;
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const begin = () => {
      while (due.length > 0 && free.length > 0) {
        const socket = free.pop();
        const { i, at } = due.shift();
        once(socket, asked + i).then(() => {
          latencies.push(performance.now() - at);
          free.push(socket);
          if (latencies.length === count) resolve({ count, ms: performance.now() - started, latencies });
          else begin();
        }, reject);
      }
    };
    const tick = () => {
      const passed = performance.now() - started;
      for (; next < count && (next * 1000) / perSecond <= passed; next += 1) {
        due.push({ i: next, at: started + (next * 1000) / perSecond });
      }
      begin();
      if (next < count) setTimeout(tick, TICK_MS);
    };
    tick();
  });
}
