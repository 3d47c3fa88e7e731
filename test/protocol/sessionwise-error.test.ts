import { describe, expect, it } from 'vitest';
import { SessionwiseError } from '../../src/protocol/index.ts';

class TeapotError extends SessionwiseError {
  override readonly code = 'TEAPOT';
  override readonly status = 418;
}

class PlainError extends SessionwiseError {
  override readonly code = 'PLAIN';
}

describe('SessionwiseError', () => {
  it('has the name of its class, in the stack too', () => {
    const error = new TeapotError('Short and stout.');
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe('TeapotError');
    expect(error.stack).toMatch(/^TeapotError: Short and stout\.\n/);
  });

  it('has the status under both names that frameworks read, or none', () => {
    const { status, statusCode } = new TeapotError('');
    expect([status, statusCode]).toEqual([418, 418]);
    const plain = new PlainError('');
    expect([plain.status, plain.statusCode, 'status' in plain]).toEqual([undefined, undefined, false]);
  });

  it('passes on its cause', () => {
    const cause = new Error('beneath');
    expect(new PlainError('', { cause }).cause).toBe(cause);
    expect('cause' in new PlainError('')).toBe(false);
  });
});
