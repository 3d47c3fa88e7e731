import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PROGRAM = 'openssl';

/** A CA of one test file and a certificate of it, for `127.0.0.1` and `localhost` unless told. */
export interface TestTls {
  /** The CA's certificate, as `tls: {ca}` takes it. */
  readonly ca: string;
  /** A client's certificate and key, of the same CA. */
  readonly cert: string;
  readonly key: string;
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  /** Removes the files. */
  remove(): void;
}

/** Whether certificates can be made; where not, it is said once on the console.
 *  @throws Error instead where CI is set: there, TLS must not go untested. */
export const canMakeTls: boolean = findOpenssl();

/** Makes a CA and a certificate. `names`: for whom, as OpenSSL writes subjectAltName. */
export function makeTestTls(names = 'IP:127.0.0.1,DNS:localhost'): TestTls {
  const folder = mkdtempSync(join(tmpdir(), 'sw-tls-'));
  const file = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void => void execFileSync(PROGRAM, args, { cwd: folder, stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...newKey, '-days', '2', '-subj', '/CN=test CA', '-keyout', 'ca.key', '-out', 'ca.crt');
  openssl('req', ...newKey, '-subj', '/CN=test server', '-keyout', 'server.key', '-out', 'server.csr');
  writeFileSync(file('names'), `subjectAltName=${names}\n`);
  const signed = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names'];
  openssl('x509', '-req', '-in', 'server.csr', ...signed, '-out', 'server.crt');
  const read = (name: string): string => readFileSync(file(name), 'utf8');
  return {
    ca: read('ca.crt'),
    cert: read('server.crt'),
    key: read('server.key'),
    caFile: file('ca.crt'),
    certFile: file('server.crt'),
    keyFile: file('server.key'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** What makes a server listen with TLS on a port; `clients` says whether they must show a certificate. Default no. */
export function serverTlsArgs(tls: TestTls, port: number, clients: 'yes' | 'no' = 'no'): string[] {
  return [
    ...['--tls-port', String(port), '--tls-ca-cert-file', tls.caFile, '--tls-auth-clients', clients],
    ...['--tls-cert-file', tls.certFile, '--tls-key-file', tls.keyFile],
  ];
}

function findOpenssl(): boolean {
  try {
    execFileSync(PROGRAM, ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    const message = 'openssl is not installed: apt-get install openssl';
    if (process.env.CI) throw new Error(message);
    console.warn(`TESTS OF TLS ARE SKIPPED. ${message}`);
    return false;
  }
}
