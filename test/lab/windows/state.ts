/** What a Windows lab host remembers: state.json, which its programs read and write too. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { install, type LabTask, servicesKey } from './services.js';

/** What Windows remembers, as Machine.cs has it. Routes that are active, addresses and forwarding are the kernel's. */
export interface WindowsState {
  boot: string;
  build: string;
  nics: { device: string; name: string; index: number; guid: string; component: string }[];
  routes: { destination: string; nextHop: string; metric: number }[];
  networks: {
    id: string;
    name: string;
    driver: string;
    subnet: string;
    gateway: string;
    device: string | null;
  }[];
  /** Scheduled tasks; services are in the registry. */
  tasks: LabTask[];
  /** Services without a process here (docker), when they were stopped. */
  stopped: string[];
  /** Docker network name to the number of containers on it. */
  containers: Record<string, number>;
  /** What Windows speaks, as an LCID: 1033. */
  language: number;
  /** Bytes of the system drive. */
  free: number;
  /** Name to InstallState. */
  features: Record<string, string>;
  /** What Routing and Remote Access is set up for. */
  remoteAccess: '' | 'RoutingOnly' | 'Vpn' | 'VpnS2S' | 'SstpProxy';
  switches: { name: string; type: string; device: string }[];
  /** Docker images: name to id. */
  images: Record<string, string>;
  /** Path to its SDDL, where it is not for administrators and the system alone; null: nobody is told. */
  permissions: Record<string, string | null>;
  /** HKLM: full key path to value name to value: a text, a DWORD or a list of texts. */
  registry: Record<string, Record<string, string | number | string[]>>;
  /**
   * `docker`: its error text; `docker-slow`: ms; `stubborn`: the store that Remove-NetRoute forgets; `duplicate`: an address; `lose-address`: a NIC's, by a switch; `service`: what Start-Service says;
   * `orphan`: a stopped task leaves its process; `crash`: the component that ends at once; `wmi`, `netsh`; the others are in Machine.cs.
   */
  faults: Record<string, string>;
}

export interface StateFile {
  read(): WindowsState;
  write(state: WindowsState): void;
}

/** Fresh from the installer, or with both processes as nssm's services. */
export function freshState(build: number, processes: boolean): WindowsState {
  const state = bareState(build);
  if (processes) install(state, 'nssm');
  return state;
}

function bareState(build: number): WindowsState {
  const guid = (n: number): string => `{00000000-0000-0000-0000-${String(n).padStart(12, '0')}}`;
  return {
    boot: new Date().toISOString(),
    build: String(build),
    // No index is the kernel's own, nor are they in the kernel's order.
    nics: [
      { device: 'eth0', name: 'Ethernet', index: 1007, guid: guid(7), component: 'vmbus\\netvsc' },
      { device: 'eth1', name: 'Ethernet 2', index: 1004, guid: guid(4), component: 'vmbus\\netvsc' },
    ],
    routes: [],
    networks: [],
    tasks: [],
    stopped: [],
    containers: {},
    language: 1033,
    free: 60_000_000_000,
    features: {
      RemoteAccess: 'Available',
      Routing: 'Available',
      'RSAT-RemoteAccess-PowerShell': 'Available',
    },
    remoteAccess: '',
    switches: [],
    images: {},
    permissions: {},
    registry: {
      'HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion': {
        ProductName: 'Windows Server 2016 Datacenter',
        InstallationType: 'Server',
        CurrentBuildNumber: String(build),
      },
      'HKLM\\SYSTEM\\CurrentControlSet\\Control\\Nls\\CodePage': { OEMCP: '437' },
      [`${servicesKey}\\docker`]: plainService('C:\\Program Files\\docker\\dockerd.exe --run-service', 2),
      [`${servicesKey}\\iphlpsvc`]: plainService('C:\\Windows\\System32\\svchost.exe -k NetSvcs', 2),
    },
    faults: {},
  };
}

/** A service that no process here stands for. `start` is the registry's: 2 automatic, 3 manual, 4 disabled. */
export function plainService(image: string, start: 2 | 3 | 4): Record<string, string | number> {
  return { ImagePath: image, Start: start };
}

/** Where it is kept, on the host of that folder. */
export function stateFile(workDir: string): StateFile {
  const path = join(workDir, 'state.json');
  return {
    read: () => JSON.parse(readFileSync(path, 'utf8')) as WindowsState,
    write: (state) => {
      writeFileSync(`${path}.edit`, JSON.stringify(state));
      renameSync(`${path}.edit`, path);
    },
  };
}

/** What a reboot makes of it: another boot time and other interface indexes, and features that waited for it. */
export function becomeAnotherBoot(state: WindowsState): void {
  state.boot = new Date().toISOString();
  for (const nic of state.nics) nic.index += 2;
  for (const [name, wanted] of Object.entries(state.features)) {
    if (wanted === 'InstallPending') state.features[name] = 'Installed';
    if (wanted === 'UninstallPending') state.features[name] = 'Available';
  }
  const key = `${servicesKey}\\RemoteAccess`;
  if (state.features['RemoteAccess'] !== 'Installed') delete state.registry[key];
  else state.registry[key] ??= plainService('C:\\Windows\\System32\\svchost.exe -k netsvcs', 4);
  delete state.faults['restart-needed'];
}
