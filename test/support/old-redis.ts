import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** Answers the handshake and INFO as a Redis of another version would: Debian has no old one to run. */
export async function startOldRedis(
  version: string,
  info = `# Server\r\nredis_version:${version}\r\nredis_mode:standalone\r\n`,
  { hello = true } = {},
): Promise<{ url: string; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    let unread = '';
    socket.on('data', (chunk) => {
      unread += chunk.toString('latin1');
      // An array of bulk strings whose first is the command's name; all of them are short here.
      for (let match = /^\*(\d+)\r\n/.exec(unread); match; match = /^\*(\d+)\r\n/.exec(unread)) {
        const whole = new RegExp(`^\\*\\d+\\r\\n(?:\\$\\d+\\r\\n[^\\r]*\\r\\n){${match[1]}}`).exec(unread)?.[0];
        if (whole === undefined) return;
        unread = unread.slice(whole.length);
        const name = whole.split('\r\n')[2]!.toUpperCase();
        if (name === 'HELLO' && !hello) {
          socket.write('-ERR unknown command `HELLO`, with args beginning with: `3`, \r\n');
        } else if (name === 'HELLO') socket.write('%1\r\n$6\r\nserver\r\n$5\r\nredis\r\n');
        else if (name === 'INFO') socket.write(`$${info.length}\r\n${info}\r\n`);
        else if (name === 'COMMAND') socket.write('*1\r\n_\r\n');
        else socket.write('+OK\r\n');
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
