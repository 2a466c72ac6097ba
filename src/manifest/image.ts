/** Which build of Windows an image is made for, by its name, and on which builds it runs. Pure. */

/**
 * The releases of Windows Server that have container images.
 * https://learn.microsoft.com/en-us/virtualization/windowscontainers/deploy-containers/version-compatibility
 */
const RELEASES: readonly { build: number; name: string; tag: string; tags: readonly string[] }[] = [
  { build: 14393, name: 'Windows Server 2016', tag: 'ltsc2016', tags: ['ltsc2016', 'sac2016', '1607'] },
  { build: 16299, name: 'Windows Server, version 1709', tag: '1709', tags: ['1709'] },
  { build: 17134, name: 'Windows Server, version 1803', tag: '1803', tags: ['1803'] },
  { build: 17763, name: 'Windows Server 2019', tag: 'ltsc2019', tags: ['ltsc2019', '1809'] },
  { build: 18362, name: 'Windows Server, version 1903', tag: '1903', tags: ['1903'] },
  { build: 18363, name: 'Windows Server, version 1909', tag: '1909', tags: ['1909'] },
  { build: 19041, name: 'Windows Server, version 2004', tag: '2004', tags: ['2004'] },
  { build: 19042, name: 'Windows Server, version 20H2', tag: '20H2', tags: ['20h2'] },
  { build: 20348, name: 'Windows Server 2022', tag: 'ltsc2022', tags: ['ltsc2022'] },
  { build: 25398, name: 'Windows Server, version 23H2', tag: '23H2', tags: ['23h2'] },
  { build: 26100, name: 'Windows Server 2025', tag: 'ltsc2025', tags: ['ltsc2025'] },
];

/** From the first on, hosts run images of the long-term release before them: hcsshim's `osversion/platform_compat_windows.go`. */
const STABLE: readonly number[] = [20348, 26100];

/** Multi-container pods need hosts that share a network compartment: Kubernetes 1.9's known limitations. */
export const SHARES_NETWORK = 16299;

const WINDOWS_NAME =
  /^mcr\.microsoft\.com\/(windows|dotnet\/framework)\b|^microsoft\/(windows|nanoserver|iis|aspnet|dotnet-framework)|windowsservercore|nanoserver|servercore/i;
const WINDOWS_TAG = /\b(ltsc20\d\d|10\.0\.\d{5})\b/i;

/** Whether an image's name says that it is one of Windows. */
export function isWindowsImage(image: string): boolean {
  return WINDOWS_NAME.test(image) || WINDOWS_TAG.test(tagOf(image));
}

/** The build that an image is made for; null when its name does not tell. */
export function buildOfImage(image: string): number | null {
  if (!isWindowsImage(image)) return null;
  const tag = tagOf(image).toLowerCase();
  const exact = /(?:^|[^\d.])10\.0\.(\d{5})\b/.exec(`-${tag}`)?.[1];
  if (exact !== undefined) return Number(exact);
  const parts = tag.split(/[-_.]/);
  return RELEASES.find(({ tags }) => tags.some((each) => parts.includes(each)))?.build ?? null;
}

/** Whether a host of this build runs an image of that one, in process isolation. */
export function runs(host: number, image: number): boolean {
  const before = STABLE.findLast((build) => build < host);
  return host === image || (before !== undefined && image >= before && image <= host);
}

/** `Windows Server 2019`, or `build 12345` when it is none that is known. */
export function releaseOf(build: number): string {
  return RELEASES.find((release) => release.build === build)?.name ?? `build ${build}`;
}

/** The tag that images of this build have. */
export function tagFor(build: number): string {
  return RELEASES.find((release) => release.build === build)?.tag ?? `10.0.${build}`;
}

/** After the last colon that belongs to no port. */
function tagOf(image: string): string {
  return /:([^:/@]+)(@[^/]*)?$/.exec(image)?.[1] ?? '';
}
