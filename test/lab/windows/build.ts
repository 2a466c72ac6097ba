/** Builds the program that plays Windows' programs; once, by whoever comes first. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const here = join(process.cwd(), 'test/lab/windows');
const ENV = {
  NUGET_CERT_REVOCATION_MODE: 'offline',
  DOTNET_CLI_TELEMETRY_OPTOUT: '1',
  MSBUILDDISABLENODEREUSE: '1',
};
/** Compiled ahead of time, the engine starts in 0.3 s, not 0.8 s; but that takes one more package, which may be out of reach. */
const BUILD = `
set -e
[ ! -d "$1" ] || exit 0
rm -rf "$1.new"
dotnet publish -c Release -o "$1.new" --use-current-runtime --self-contained false -p:PublishReadyToRun=true --nologo -v quiet ||
  dotnet build -c Release -o "$1.new" --nologo -v quiet
mv "$1.new" "$1"
`;

/** The path of the built program. Builds it first when its sources have changed. Throws when the .NET SDK does. */
export function windowsProgram(): string {
  const bin = join(here, 'bin');
  // A folder for each state of the sources: hosts that run the one before are not disturbed.
  const folder = join(bin, sourcesHash());
  if (!existsSync(folder)) {
    mkdirSync(bin, { recursive: true });
    // flock: test files run side by side, and two builds would share obj/.
    const args = [join(bin, 'lock'), 'sh', '-c', BUILD, 'build', folder];
    execFileSync('flock', args, { cwd: here, stdio: 'pipe', env: { ...process.env, ...ENV } });
  }
  return join(folder, 'powershell');
}

function sourcesHash(): string {
  const files = [
    ...readdirSync(here),
    ...readdirSync(join(here, 'modules'), { recursive: true, encoding: 'utf8' }).map(
      (name) => `modules/${name}`,
    ),
  ];
  const sources = files.filter((name) => /\.(cs|csproj|psm1)$|^build\.ts$/.test(name)).sort(byText);
  const hash = createHash('sha256');
  for (const name of sources) hash.update(name).update(readFileSync(join(here, name)));
  return hash.digest('hex').slice(0, 16);
}

function byText(a: string, b: string): number {
  return a < b ? -1 : 1;
}
