/** What a full read tells of the machine itself, beside its network: the facts that a node's checks are made from. Pure types. */
import type { Cidr } from '../ip.js';
import type { Component } from '../node/component.js';

/** A Windows service, or what stands in for one. */
export interface ServiceState {
  runs: boolean;
  /** It starts with the machine. */
  atBoot: boolean;
}

/** How kubelet or kube-proxy is kept running on a Windows host (S20, S21). */
export interface InstalledComponent extends ServiceState {
  /** `other`: a service that starts something by itself, without nssm. */
  manager: 'nssm' | 'task' | 'other';
  /** It has Fairway's mark; else it is somebody's. */
  ours: boolean;
  executable: string;
  /** The whole command line after the executable. */
  arguments: string;
  /** `NAME=value`, in the order in which they are set. */
  environment: string[];
}

export interface WindowsMachine {
  /** As Windows calls itself, in its own language. */
  product: string;
  isServer: boolean;
  /** Windows' own language, in which its programs print, as an LCID: 1033 is American English. Regional settings are no part of it. */
  language: number;
  /** The OEM code page, such as 437. */
  codePage: number;
  /** Whether the SSH account is an administrator, with a full token. */
  isAdministrator: boolean;
  /** On the system drive. */
  freeBytes: number;
  /** The IP Helper service, which serves kube-proxy's portproxy; null when there is none. */
  ipHelper: ServiceState | null;
  docker: { version: string } | { error: string };
  /** The pause image's id; null when it is not there, or docker does not answer. */
  pauseImage: string | null;
  /** RemoteAccess, Routing and RSAT-RemoteAccess-PowerShell by name: their InstallState; null without Server Manager's cmdlets. */
  features: Record<string, string> | null;
  /** What Routing and Remote Access is set up for; null while that is nothing, and Fairway installed nothing of it either. */
  routing: (ServiceState & { isRouter: boolean; isVpn: boolean }) | null;
  /** Windows waits for a restart before what was installed works. */
  rebootPending: boolean;
  /** Hyper-V's virtual switches, or what its cmdlets say instead; null without them. */
  switches: { name: string; type: string }[] | { error: string } | null;
  /** Where nssm.exe is; null when it is not on the path. */
  nssm: string | null;
  /** Whether the configured executable is there. */
  binaries: Record<Component, boolean>;
  /** The security descriptor (SDDL) of each program that runs as the system, and of the folders that it lies in, by path; null when it can't be read. */
  permissions: Record<string, string | null>;
  /** null: neither a service nor a scheduled task of that name. */
  components: Record<Component, InstalledComponent | null>;
  /** ISO instant by the host's clock, when it was read. */
  clock: string;
}

export interface LinuxMachine {
  /** How changes are made there: as root, by the root helper through sudo, by sudo for each program, or not at all. */
  privilege: 'root' | 'helper' | 'sudo' | 'none';
  /** Whether the login may install the root helper: it is root, or sudo lets it do anything. */
  mayInstall: boolean;
  /** iproute2's version as `ip -V` has it, such as `6.1.0`. */
  iproute: string;
  /** The programs in `/opt/cni/bin`; null when there is no such folder. */
  cniPlugins: string[] | null;
  /** iptables' FORWARD chain: its policy, and of which sources and to which destinations it accepts whatever comes; null when it can't be read. */
  forwardChain: { policy: 'ACCEPT' | 'DROP'; from: Cidr[]; to: Cidr[] } | null;
  /** Those that are active. */
  networkManagers: ('systemd-networkd' | 'NetworkManager' | 'ifupdown')[];
  /** Whether systemd-networkd leaves routes alone that it did not make; null without networkd. */
  keepsForeignRoutes: boolean | null;
  /** The root helper: of this version of Fairway, of another one, or not there. */
  helper: 'current' | 'other' | null;
  /** Whether the unit that restores the routes at boot is enabled; null without systemd. */
  restoresAtBoot: boolean | null;
  /** The running kubelet's command line, redacted; null when none runs. */
  kubelet: string | null;
  freeBytes: number;
  /** ISO instant by the host's clock, when it was read. */
  clock: string;
}
