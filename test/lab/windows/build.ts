/** Builds the program that plays Windows' programs; once, by whoever comes first. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const here = join(process.cwd(), 'test/lab/windows');

/** The path of the built program. Builds it first when its sources have changed. Throws when the .NET SDK does. */
export function windowsProgram(): string {
  const bin = join(here, 'bin');
  const program = join(bin, 'powershell');
  const hash = sourcesHash();
  const stamp = join(bin, 'sources');
  const current = (): boolean =>
    existsSync(program) && existsSync(stamp) && readFileSync(stamp, 'utf8') === hash;
  if (current()) return program;
  mkdirSync(bin, { recursive: true });
  // flock: test files run side by side, and two builds would share obj/.
  const build = 'dotnet build -c Release -o bin --nologo -v quiet && printf %s "$1" > bin/sources';
  const guarded = `[ "$(cat bin/sources 2>/dev/null)" = "$1" ] || { ${build}; }`;
  writeFileSync(join(bin, 'lock'), '');
  const env = {
    ...process.env,
    NUGET_CERT_REVOCATION_MODE: 'offline',
    DOTNET_CLI_TELEMETRY_OPTOUT: '1',
    MSBUILDDISABLENODEREUSE: '1',
  };
  execFileSync('flock', ['bin/lock', 'sh', '-c', guarded, 'build', hash], { cwd: here, stdio: 'pipe', env });
  return program;
}

function sourcesHash(): string {
  const files = [
    ...readdirSync(here),
    ...readdirSync(join(here, 'modules')).map((name) => `modules/${name}`),
  ];
  const sources = files.filter((name) => /\.(cs|csproj|psm1)$/.test(name)).sort(byText);
  const hash = createHash('sha256');
  for (const name of sources) hash.update(name).update(readFileSync(join(here, name)));
  return hash.digest('hex');
}

function byText(a: string, b: string): number {
  return a < b ? -1 : 1;
}
