// @ts-check
import { once } from 'node:events';
import { createServer } from 'node:http';

/** Opens a port, which answers once `server.on('request', app)` was called. `close`: also ends the connections.
 *  @param {number} port 0 takes a free one. @param {string} host @throws where the port is taken */
export async function listen(port, host) {
  const server = createServer();
  server.listen(port, host);
  await once(server, 'listening');
  const { port: taken } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    server,
    url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
