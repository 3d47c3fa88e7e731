import { describe, expect, it } from 'vitest';
import { GOOD_BYE_SILENCE_MS } from '../../src/protocol/heartbeat.ts';
import { encodeHeartbeat, HEARTBEAT_TTL_MS, type Heartbeat } from '../../src/protocol/index.ts';
import { Presence } from '../../src/transport/presence.ts';

function openPresence(): {
  presence: Presence;
  hear: (heartbeat: Partial<Heartbeat>) => void;
  pass: (ms: number) => void;
} {
  let now = 1_000;
  const presence = new Presence(() => now);
  return {
    presence,
    hear: (heartbeat) =>
      void presence.receive(
        encodeHeartbeat({ instance: 'one', glob: '?*', commands: ['pageview'], leaving: false, ...heartbeat }),
      ),
    pass: (ms) => {
      now += ms;
    },
  };
}

describe('presence', () => {
  it('knows who hears channels, for which commands and sessions', () => {
    const { presence, hear } = openPresence();
    expect(presence.hasSubscriber('pageview', 'abc')).toBe(false);
    hear({ glob: '[a-m]*' });
    expect(presence.hasSubscriber('pageview', 'abc')).toBe(true);
    expect(presence.hasSubscriber('pageview', 'xyz')).toBe(false);
    expect(presence.hasSubscriber('combo', 'abc')).toBe(false);
    expect(presence.serving('abc')?.id).toBe('one');
    expect(presence.serving('xyz')).toBeUndefined();
    expect(presence.hasStreaming()).toBe(false);
  });

  it('knows who works off streams, whatever its glob', () => {
    const { presence, hear } = openPresence();
    hear({ instance: 'streams', glob: '[a-m]*', streams: true, channels: false });
    hear({ instance: 'both', streams: true });
    expect(presence.hasStreaming()).toBe(true);
    expect(presence.serving('abc')?.id).toBe('both');
  });

  it('knows whether an instance serves a question on channels, and believes only what it hears', () => {
    const { presence, hear, pass } = openPresence();
    hear({ glob: '[a-m]*', commands: ['combo'] });
    hear({ instance: 'streams', commands: ['surface'], streams: true, channels: false });
    const served = (command: string, session: string): boolean => presence.isServed(command, session);
    expect([served('combo', 'abc'), served('combo', 'xyz'), served('surface', 'abc')]).toEqual([true, false, false]);
    pass(HEARTBEAT_TTL_MS + 1);
    expect(served('combo', 'abc')).toBe(false);
  });

  it('knows whether all instances that serve a session know a command', () => {
    const { presence, hear, pass } = openPresence();
    const all = (session: string): boolean[] =>
      (['channels', 'streams'] as const).map((route) => presence.allServe('together', session, route));
    expect(all('abc')).toEqual([false, false]);
    hear({ instance: 'new', glob: '[a-m]*', commands: ['combo', 'together'], streams: true });
    expect([all('abc'), all('xyz')]).toEqual([
      [true, true],
      [false, true],
    ]);
    // An older one serves other sessions over channels, and any over streams.
    hear({ instance: 'old', glob: '[n-z]*', commands: ['combo'], streams: true });
    expect([all('abc'), all('xyz')]).toEqual([
      [true, false],
      [false, false],
    ]);
    hear({ instance: 'older', commands: ['combo'] });
    expect(all('abc')).toEqual([false, false]);
    pass(HEARTBEAT_TTL_MS / 2);
    hear({ instance: 'new', glob: '[a-m]*', commands: ['combo', 'together'], streams: true });
    pass(HEARTBEAT_TTL_MS / 2 + 1);
    expect(all('abc')).toEqual([true, true]);
    for (let i = 0; i < 1_001; i += 1) hear({ instance: `forged-${i}`, glob: '[n-z]*', commands: ['together'] });
    expect(all('abc')).toEqual([false, false]);
  });

  it('believes a good-bye where silence agrees, and nobody who says it in the name of another', () => {
    const { presence, hear, pass } = openPresence();
    hear({ instance: 'one', streams: true });
    hear({ instance: 'one', leaving: true });
    expect(presence.mayStay('one')).toBe(false);
    expect(presence.staying()).toEqual([]);
    expect([presence.hasSubscriber('pageview', 'abc'), presence.hasStreaming()]).toEqual([true, true]);
    // 50 a second, and a heartbeat each half second.
    for (let i = 0; i < 500; i += 1) {
      hear({ instance: 'one', leaving: true });
      pass(20);
      if (i % 25 === 0) hear({ instance: 'one', streams: true });
      expect([presence.hasSubscriber('pageview', 'abc'), presence.hasStreaming()]).toEqual([true, true]);
      expect(presence.serving('abc')?.id).toBe('one');
    }
    hear({ instance: 'one', streams: true });
    expect(presence.mayStay('one')).toBe(true);
    expect(presence.mayStay('never heard')).toBe(false);
    hear({ instance: 'two' });
    hear({ instance: 'one', leaving: true });
    expect(presence.serving('abc')?.id).toBe('two');
    pass(GOOD_BYE_SILENCE_MS + 1);
    expect(presence.hasStreaming()).toBe(false);
    expect(presence.present().map(({ id }) => id)).toEqual(['two']);
    hear({ instance: 'never heard of', leaving: true });
    expect(presence.present()).toHaveLength(1);
  });

  it('finds overlap only between those that both hear channels', () => {
    const { presence, hear } = openPresence();
    const overlaps = (): string[][] =>
      presence.staying().flatMap((instance) => presence.overlapping(instance).map(({ instances }) => [...instances]));
    hear({ instance: 'one' });
    hear({ instance: 'two', streams: true, channels: false });
    hear({ instance: 'three', streams: true, channels: false });
    expect(overlaps()).toEqual([]);
    hear({ instance: 'four', glob: '[a-m]*', streams: true });
    expect(overlaps()).toEqual([
      ['one', 'four'],
      ['four', 'one'],
    ]);
    hear({ instance: 'one', leaving: true });
    expect(overlaps()).toEqual([]);
  });

  it('forgets who falls silent, and not who goes on', () => {
    const { presence, hear, pass } = openPresence();
    hear({ instance: 'silent', streams: true });
    hear({ instance: 'alive', streams: true });
    pass(HEARTBEAT_TTL_MS - 1);
    hear({ instance: 'alive', streams: true });
    pass(2);
    expect(presence.present().map(({ id }) => id)).toEqual(['alive']);
    expect(presence.hasStreaming()).toBe(true);
    pass(HEARTBEAT_TTL_MS);
    expect(presence.hasStreaming()).toBe(false);
    expect(presence.present()).toEqual([]);
    expect(presence.hasSubscriber('pageview', 'abc')).toBe(false);
  });

  it('holds no more than a thousand, and believes nothing that is no heartbeat', () => {
    const { presence, hear, pass } = openPresence();
    for (const message of ['', '{', 'null', '7', '[]', '{"instance":7}', 'x'.repeat(5_000)]) {
      expect(presence.receive(message)).toBeUndefined();
    }
    hear({ glob: 'no glob at all' });
    expect(presence.present()).toEqual([]);
    for (let i = 0; i < 1_500; i += 1) hear({ instance: `i${i}` });
    expect(presence.present()).toHaveLength(1_000);
    expect([presence.mayStay('i7'), presence.mayStay('never heard')]).toEqual([true, true]);
    // Those for whom there is no room may be the ones that serve: nothing can be denied.
    expect([presence.hasSubscriber('combo', 'abc'), presence.hasStreaming()]).toEqual([true, false]);
    hear({ instance: 'no room', streams: true });
    expect(presence.hasStreaming()).toBe(true);
    pass(HEARTBEAT_TTL_MS + 1);
    hear({ instance: 'later' });
    expect(presence.present().map(({ id }) => id)).toEqual(['later']);
  });
});
