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

  it('takes another name and status, as http-errors gives them, and shows neither in JSON', () => {
    const error = Object.assign(new TeapotError(''), { statusCode: 503, name: 'Away' });
    expect([error.statusCode, error.name]).toEqual([503, 'Away']);
    error.statusCode = 500;
    expect(error.statusCode).toBe(500);
    expect(JSON.parse(JSON.stringify(error))).toEqual({ code: 'TEAPOT', status: 418 });
  });

  it('passes on its cause', () => {
    const cause = new Error('beneath');
    expect(new PlainError('', { cause }).cause).toBe(cause);
    expect('cause' in new PlainError('')).toBe(false);
  });
});
