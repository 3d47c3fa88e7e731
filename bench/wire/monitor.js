import { connect } from 'node:net';
import { socketOf } from '../support/redis.js';

/** Listens to all that a Redis does. `commands` grows: each is a list of arguments, one character a byte; those within
 *  scripts are left out. */
export async function openMonitor(url) {
  const socket = connect(socketOf(url));
  const commands = [];
  let rest = '';
  const isListening = new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('data', (part) => {
      const lines = (rest + part.toString('latin1')).split('\r\n');
      rest = lines.pop();
      for (const line of lines) {
        if (line === '+OK') resolve();
        const command = parseMonitorLine(line);
        if (command) commands.push(command);
      }
    });
  });
  socket.write('MONITOR\r\n');
  await isListening;
  return { commands, close: () => socket.destroy() };
}

const ESCAPES = { n: '\n', r: '\r', t: '\t', a: '\x07', b: '\b' };

/** The arguments of one line of MONITOR; undefined for what a script does, and for what is no command. */
export function parseMonitorLine(line) {
  const head = /^\+\d+\.\d+ \[\d+ ([^\]]*)\] /.exec(line);
  if (!head || head[1] === 'lua') return undefined;
  const quoted = line.slice(head[0].length).matchAll(/"((?:[^"\\]|\\.)*)"/g);
  return Array.from(quoted, ([, text]) =>
    text.replace(/\\(?:x([0-9a-f]{2})|(.))/g, (_, hex, character) =>
      hex ? String.fromCharCode(Number.parseInt(hex, 16)) : (ESCAPES[character] ?? character),
    ),
  );
}
