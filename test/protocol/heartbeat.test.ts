import { describe, expect, it } from 'vitest';
import {
  decodeHeartbeat,
  encodeHeartbeat,
  HEARTBEAT_INTERVAL_MS,
  HEARTBEAT_TTL_MS,
  heartbeatChannel,
} from '../../src/protocol/index.ts';

const SAID = { instance: 'i1', glob: '[a-m]*', commands: ['pageview', 'combo'], leaving: false };
const HEARTBEAT = { ...SAID, streams: false, channels: true };

describe('a heartbeat', () => {
  it('comes back as it was sent', () => {
    expect(decodeHeartbeat(encodeHeartbeat(HEARTBEAT))).toEqual(HEARTBEAT);
    expect(decodeHeartbeat(encodeHeartbeat({ ...HEARTBEAT, leaving: true }))).toEqual({ ...HEARTBEAT, leaving: true });
  });

  it('says what it hears only where it is not channels alone', () => {
    expect(JSON.parse(encodeHeartbeat(SAID))).toEqual(SAID);
    expect(JSON.parse(encodeHeartbeat(HEARTBEAT))).toEqual(SAID);
    const streams = { ...SAID, streams: true, channels: false };
    expect(JSON.parse(encodeHeartbeat(streams))).toEqual(streams);
    expect(decodeHeartbeat(encodeHeartbeat(streams))).toEqual(streams);
    expect(decodeHeartbeat(JSON.stringify(SAID))).toEqual(HEARTBEAT);
    expect(decodeHeartbeat(JSON.stringify({ ...SAID, streams: 'yes', channels: 0 }))).toEqual(HEARTBEAT);
  });

  it('goes where a serving layer may subscribe', () => {
    expect(heartbeatChannel('sw')).toBe('async:_instances');
    expect(heartbeatChannel('shop')).toBe('shop:async:_instances');
  });

  it('may be missed twice before an instance counts as gone', () => {
    expect(HEARTBEAT_TTL_MS).toBeGreaterThan(3 * HEARTBEAT_INTERVAL_MS);
  });

  it('leaves only where it says exactly so, and keeps only names of commands', () => {
    const odd = JSON.stringify({ ...HEARTBEAT, leaving: 'yes', commands: ['combo', 7, null], more: 1 });
    expect(decodeHeartbeat(odd)).toEqual({ ...HEARTBEAT, commands: ['combo'] });
  });

  it.each([
    '',
    'x',
    'null',
    '7',
    '"x"',
    '[]',
    '{}',
    '{"instance":1,"glob":"?*","commands":[]}',
    '{"instance":"i","glob":null,"commands":[]}',
    '{"instance":"i","glob":"?*","commands":"pageview"}',
    '{"instance":"i","glob":"?*"}',
  ])('%s is none', (message) => {
    expect(decodeHeartbeat(message)).toBeUndefined();
  });

  it('is none where it is larger than any could be', () => {
    const large = encodeHeartbeat({ ...HEARTBEAT, commands: Array.from({ length: 1000 }, (_, i) => `command-${i}`) });
    expect(decodeHeartbeat(large)).toBeUndefined();
  });
});
