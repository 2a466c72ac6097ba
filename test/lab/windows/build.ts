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
/**
 * Compiled ahead of time, the engine starts in 0.3 s, not 0.8 s, and the other programs in 0.01 s, not 0.1 s; but that takes packages more, and
 * gcc, which may be out of reach.
 */
const BUILD = `
set -e
[ ! -d "$1" ] || exit 0
rm -rf "$1.new"
quietly() { dotnet "$@" -c Release --nologo -v quiet; }
quietly publish programs -o "$1.new/programs" --use-current-runtime -p:PublishAot=true ||
  quietly build programs -o "$1.new/programs" &
quietly publish powershell.csproj -o "$1.new/powershell" --use-current-runtime --self-contained false -p:PublishReadyToRun=true ||
  quietly build powershell.csproj -o "$1.new/powershell"
wait $!
mv "$1.new" "$1"
`;

export interface WindowsPrograms {
  /** PowerShell, and the shell that sshd starts: each is a first argument. */
  powershell: string;
  /** Every other one. */
  others: string;
}

/** The paths of the built programs. Builds them first when their sources have changed. Throws when the .NET SDK does. */
export function windowsPrograms(): WindowsPrograms {
  const bin = join(here, 'bin');
  // A folder for each state of the sources: hosts that run the one before are not disturbed.
  const folder = join(bin, sourcesHash());
  if (!existsSync(folder)) {
    mkdirSync(bin, { recursive: true });
    // flock: test files run side by side, and two builds would share obj/.
    const args = [join(bin, 'lock'), 'sh', '-c', BUILD, 'build', folder];
    execFileSync('flock', args, {
      cwd: here,
      stdio: 'pipe',
      encoding: 'utf8',
      env: { ...process.env, ...ENV },
    });
  }
  return { powershell: join(folder, 'powershell/powershell'), others: join(folder, 'programs/programs') };
}

function sourcesHash(): string {
  const files = readdirSync(here, { recursive: true, encoding: 'utf8' });
  const isSource = (name: string): boolean =>
    /\.(cs|csproj|psm1)$|^build\.ts$/.test(name) && !/(^|\/)(bin|obj)\//.test(name);
  const sources = files.filter(isSource).sort(byText);
  const hash = createHash('sha256');
  for (const name of sources) hash.update(name).update(readFileSync(join(here, name)));
  return hash.digest('hex').slice(0, 16);
}

function byText(a: string, b: string): number {
  return a < b ? -1 : 1;
}
