import { describe, expect, it } from 'vitest';
import { ProtocolError } from '../../src/protocol/index.ts';
import { isTransient, RedisNotReadyError } from '../../src/redis/index.ts';

describe('whether an error passes by itself', () => {
  it.each([
    "OOM command not allowed when used memory > 'maxmemory'.",
    "ERR Error running script (call to f_1): @user_script:3: -OOM command not allowed when used memory > 'maxmemory'.",
    "READONLY You can't write against a read only replica. script: 1, on @user_script:1.",
    'MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist on disk.',
    'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
    'LOADING Redis is loading the dataset in memory',
    'NOREPLICAS Not enough good replicas to write.',
    'MOVED 1 127.0.0.1:7000',
    'TRYAGAIN Multiple keys request during rehashing of slot',
  ])('does where Redis says so: %s', (message) => {
    expect(isTransient(new Error(message))).toBe(true);
  });

  it.each([
    'WRONGTYPE Operation against a key holding the wrong kind of value',
    'user_script:7: SUBJECTRECORD what lies in sw:{3}:BUSY:k is no record of this format',
    'user_script:7: SUBJECTRECORD what lies in sw:{3}:a-OOM:k is no record of this format',
    'NOPERM this user has no permissions to run the command',
  ])('does not otherwise: %s', (message) => {
    expect(isTransient(new Error(message))).toBe(false);
  });

  it('is told of our own errors by their code, and not by what they quote', () => {
    expect(isTransient(new RedisNotReadyError('It does not answer now.'))).toBe(true);
    expect(isTransient(new ProtocolError('bad-payload', 'The payload "BUSY OOM LOADING it" is no item.'))).toBe(false);
  });
});
