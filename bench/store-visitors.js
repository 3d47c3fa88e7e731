// A process of its own that asks for pages, so that its work is not the serving process's.
import { createHmac } from 'node:crypto';
import { Agent, get } from 'node:http';
import { serveBenchProcess } from './bench-process.js';
import { runLanes } from './bench-window.js';

const GREETING = 'Hello Ada Exemplar';
const agents = new Map();
let cookies = [];

serveBenchProcess({
  /** As express-session signs its cookies. */
  know({ tokens }) {
    cookies = tokens.map((token) => {
      const signature = createHmac('sha256', 'bench').update(token).digest('base64').replace(/=+$/, '');
      return `connect.sid=${encodeURIComponent(`s:${token}.${signature}`)}`;
    });
  },
  visit({ port, path, count, inFlight }) {
    if (!agents.has(inFlight)) agents.set(inFlight, new Agent({ keepAlive: true, maxSockets: inFlight }));
    const agent = agents.get(inFlight);
    const once = (i) => visit({ port, path, agent, headers: { cookie: cookies[i % cookies.length] } });
    return runLanes({ count, inFlight, once });
  },
});

function visit(options) {
  return new Promise((resolve, reject) => {
    const asked = get(options, (response) => {
      let page = '';
      response.setEncoding('utf8');
      response.on('data', (part) => {
        page += part;
      });
      response.on('error', reject);
      response.on('end', () => {
        if (page.includes(GREETING)) resolve();
        else reject(new Error(`${options.path} gave ${response.statusCode}: ${page.slice(0, 500)}`));
      });
    });
    asked.on('error', reject);
  });
}
