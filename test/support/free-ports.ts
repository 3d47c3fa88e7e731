import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

// Below the range from which systems take the ports of outgoing connections: a server that is down for a while finds
// its port free when it comes back. A Cluster's bus listens 10,000 above.
const [FIRST, LAST] = [10_000, 22_000];
const BUS_OFFSET = 10_000;

/** Ports of 127.0.0.1, each of which is free now, as is the one 10,000 above it. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  for (let tries = 0; ports.size < count; tries += 1) {
    if (tries > 1_000) throw new Error(`There are no ${count} free ports between ${FIRST} and ${LAST}.`);
    const port = randomInt(FIRST, LAST);
    if ((await isFree(port)) && (await isFree(port + BUS_OFFSET))) ports.add(port);
  }
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
