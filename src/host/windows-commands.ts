/** Steps as the commands that a person would type on Windows. Pure. */
import { maskOf, podGateway } from '../ip.js';
import type { Component } from '../node/component.js';
import type { Observation, Step } from '../plan/plan.js';

/** The commands of one step, for the approver to read. */
export function windowsCommands(step: Step, observed: Observation | null): string[] {
  const ensure = step.action === 'ensure';
  const node = observed?.nodeDevice ?? '<ifIndex>';
  switch (step.kind) {
    case 'route': {
      const { destination, nextHop } = step.route;
      if (!ensure) return [removeRoute(destination, node, nextHop)];
      const wrong = (observed?.routes ?? []).flatMap((seen) =>
        seen.ours && seen.destination === destination && seen.nextHop !== null && seen.nextHop !== nextHop
          ? [removeRoute(destination, seen.device, seen.nextHop)]
          : [],
      );
      return [
        ...wrong,
        `New-NetRoute -DestinationPrefix ${destination} -InterfaceIndex ${node} -NextHop ${nextHop}`,
      ];
    }
    case 'forwarding':
      return [forwarding(node, ensure)];
    case 'pod-network': {
      if (!ensure) return [`docker network rm ${step.network}`];
      const nic =
        observed?.windows?.nics.find(({ mac, kind }) => mac === step.containerNic && kind === 'physical')
          ?.name ?? step.containerNic;
      const address = `--subnet ${step.podCidr} --gateway ${podGateway(step.podCidr)}`;
      return [
        `docker network create -d transparent ${address} -o com.docker.network.windowsshim.interface="${nic}" ${step.network}`,
      ];
    }
    case 'pod-gateway': {
      // The index is not known before docker has made the adapter; the script finds it by the NIC's MAC.
      const adapter = '"vEthernet (HNSTransparent)"';
      const address = podGateway(step.podCidr);
      const set = 'netsh interface ipv4';
      return ensure
        ? [
            `${set} set address name=${adapter} source=static address=${address} mask=${maskOf(step.podCidr)} gateway=none store=persistent`,
            forwarding(adapter, true),
          ]
        : [`${set} delete address name=${adapter} address=${address}`];
    }
    case 'routing-service':
      return ensure
        ? [
            'Install-WindowsFeature RemoteAccess, Routing, RSAT-RemoteAccess-PowerShell',
            'Install-RemoteAccess -VpnType RoutingOnly',
            'Start-Service RemoteAccess',
          ]
        : ['Uninstall-RemoteAccess -Force', 'Uninstall-WindowsFeature Routing, RemoteAccess'];
    case 'reboot':
      return ['Restart-Computer  # only if Windows asks for it, and after a click'];
    case 'virtual-switch':
      return [
        ensure
          ? `New-VMSwitch -Name ${step.name} -SwitchType Internal`
          : `Remove-VMSwitch -Name ${step.name} -Force`,
      ];
    case 'image':
      return [`docker ${ensure ? 'pull' : 'rmi'} ${step.image}`];
    case 'component':
      return ensure ? installCommands(step, observed) : removeCommands(step.component, observed);
    default:
      return [];
  }
}

/** nssm where the host has it, else a scheduled task that runs at startup (windows.md A11). */
function installCommands(step: Extract<Step, { kind: 'component' }>, observed: Observation | null): string[] {
  const { component, executable, environment, dependsOn } = step;
  const command = `${executable} ${step.arguments}`;
  if (isTask(component, observed)) {
    const wrapper = `'C:\\Program Files\\Fairway\\${component}.cmd'`;
    const lines = [...environment.map((each) => `set ${each}`), command];
    return [
      `Set-Content ${wrapper} ${lines.map((line) => `'${line}'`).join(', ')}`,
      `Register-ScheduledTask -TaskName ${component} -Action ${wrapper} -Trigger AtStartup -User SYSTEM`,
      `Start-ScheduledTask -TaskName ${component}`,
    ];
  }
  return [
    `nssm install ${component} ${command}`,
    `nssm set ${component} AppEnvironmentExtra ${environment.map((each) => `'${each}'`).join(' ')}`,
    ...(dependsOn.length > 0 ? [`nssm set ${component} DependOnService ${dependsOn.join(' ')}`] : []),
    `Start-Service ${component}`,
  ];
}

function removeCommands(component: Component, observed: Observation | null): string[] {
  return isTask(component, observed)
    ? [`Stop-ScheduledTask -TaskName ${component}`, `Unregister-ScheduledTask -TaskName ${component}`]
    : [`Stop-Service ${component} -Force`, `nssm remove ${component} confirm`];
}

/** How it is kept running, or would be. */
function isTask(component: Component, observed: Observation | null): boolean {
  const machine = observed?.windows?.machine;
  if (machine === undefined) return false;
  const installed = machine.components[component];
  return installed ? installed.manager === 'task' : machine.nssm === null;
}

function removeRoute(destination: string, ifIndex: string, nextHop: string): string {
  return `Remove-NetRoute -DestinationPrefix ${destination} -InterfaceIndex ${ifIndex} -NextHop ${nextHop} -Confirm:$false`;
}

function forwarding(adapter: string, enabled: boolean): string {
  return `netsh interface ipv4 set interface ${adapter} forwarding=${enabled ? 'enabled' : 'disabled'} store=persistent`;
}
