/** Certificates of a test's own, made by openssl. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Paths of a key and its certificate, and what is in them. */
export interface Pair {
  keyFile: string;
  certFile: string;
  key: string;
  cert: string;
}

export interface Authority extends Pair {
  /** Signs a new pair. `alt`: as OpenSSL writes it, such as `DNS:localhost`. `days` may be -1: expired already. */
  issue(name: string, alt?: string, days?: number): Pair;
}

export interface Certificates {
  authority(name: string): Authority;
  dir: string;
  close(): void;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export function certificates(): Certificates {
  const dir = mkdtempSync(join(tmpdir(), 'fairway-certificates-'));
  let count = 0;
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' });
  function pair(make: (keyFile: string, certFile: string) => void): Pair {
    count += 1;
    const [keyFile, certFile] = [join(dir, `${count}.key`), join(dir, `${count}.pem`)];
    make(keyFile, certFile);
    return { keyFile, certFile, key: readFileSync(keyFile, 'utf8'), cert: readFileSync(certFile, 'utf8') };
  }
  return {
    dir,
    close: () => rmSync(dir, { recursive: true }),
    authority: (name) => {
      const own = pair((key, cert) => {
        openssl('req', '-x509', '-days', '2', ...KEY, '-keyout', key, '-out', cert, '-subj', `/CN=${name}`);
      });
      const issue = (subject: string, alt = `DNS:${subject}`, days = 2) =>
        pair((key, cert) => {
          openssl('req', ...KEY, '-keyout', key, '-out', `${key}.csr`, '-subj', `/CN=${subject}`);
          writeFileSync(`${key}.ext`, `subjectAltName=${alt}\n`);
          const signer = ['-CA', own.certFile, '-CAkey', own.keyFile, '-CAcreateserial'];
          const what = ['-in', `${key}.csr`, '-extfile', `${key}.ext`, '-days', String(days), '-out', cert];
          openssl('x509', '-req', ...signer, ...what);
        });
      return { ...own, issue };
    },
  };
}
