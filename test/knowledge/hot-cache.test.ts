import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { HotCache } from '../../src/knowledge/hot-cache.ts';
import { parseTopic } from '../../src/protocol/topic.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function usedBytes(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

const MESSAGE_BYTES = 50_000;
const MESSAGES = 1_000;

describe('HotCache', () => {
  it('keeps a name and not the message that it was cut out of', () => {
    const cache = new HotCache(2 * MESSAGES, (name) => name.length);
    const before = usedBytes();
    for (let i = 0; i < MESSAGES; i += 1) {
      // The payload stands in the channel, as in the white paper.
      const payload = Buffer.alloc(MESSAGE_BYTES, 'x').toString('latin1');
      const topic = parseTopic('sw', `ss:surface:a-session-of-some-length-${i}:_1:${payload}`)!;
      cache.of(topic.session);
    }
    expect(usedBytes() - before).toBeLessThan((MESSAGES * MESSAGE_BYTES) / 10);
    expect(cache.of('a-session-of-some-length-7')).toBe(26);
  });

  it('computes a name once while it is kept, whatever its characters', () => {
    let computed = 0;
    const cache = new HotCache(10, (name) => {
      computed += 1;
      return name;
    });
    const names = ['', '\0', 'é', '\u{1f600}', '\ud800', '\udfff', '__proto__'];
    for (const round of [1, 2]) {
      for (const name of names) expect(cache.of(name), `${round}`).toBe(name);
    }
    expect(computed).toBe(names.length);
  });
});
