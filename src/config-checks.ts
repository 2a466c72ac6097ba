/** What of a configuration can only be wrong when its values are seen together. Pure. */
import { PRINCIPALS, type Values } from './environment.js';
import { baseOf, type Cidr, contains, type Ipv4, overlaps, prefixLength, toNumber, toText } from './ip.js';
import { isGroup, personOf } from './principal.js';

/** A /16 of /32s. More slices than that are a typing error, and would make the search for a free one slow. */
const MOST_SLICE_BITS = 16;

/** What only shows when the values are seen together. A value that did not parse is `undefined` here, and was named before. */
export function crossChecks(values: Partial<Values>): string[] {
  return [...addressProblems(values), ...dnsProblems(values), ...approvalProblems(values)];
}

function addressProblems(values: Partial<Values>): string[] {
  const {
    CLUSTER_CIDR: cluster,
    NODE_PREFIX_LENGTH: length,
    SERVICE_CIDR: service,
    RESERVED_CIDRS: reserved,
  } = values;
  const problems: string[] = [];
  if (cluster === undefined) return problems;
  const clusterLength = prefixLength(cluster);
  const longest = Math.min(30, clusterLength + MOST_SLICE_BITS);
  if (length !== undefined && (length <= clusterLength || length > longest)) {
    problems.push(
      `NODE_PREFIX_LENGTH is ${length}: with the CLUSTER_CIDR ${cluster} it takes ${clusterLength + 1} to ${longest}.`,
    );
  }
  if (service !== undefined && overlaps(cluster, service)) {
    problems.push(
      `SERVICE_CIDR is ${service}, which overlaps the CLUSTER_CIDR ${cluster}: a service would have a pod's address. It takes the API server's --service-cluster-ip-range, outside the cluster's.`,
    );
  }
  for (const range of reserved ?? []) {
    if (contains(range, cluster))
      problems.push(`RESERVED_CIDRS has ${range}: that leaves nothing of ${cluster}.`);
    else if (!overlaps(range, cluster))
      problems.push(`RESERVED_CIDRS has ${range}: it takes parts of the CLUSTER_CIDR ${cluster}.`);
  }
  return problems;
}

/** The services' first address is the API server's own. */
function dnsProblems({ SERVICE_CIDR: service, CLUSTER_DNS: dns }: Partial<Values>): string[] {
  if (service === undefined) return [];
  const isOf = (address: Ipv4) => contains(service, address) && toNumber(address) > baseOf(service) + 1;
  if (dns !== undefined)
    return isOf(dns)
      ? []
      : [
          `CLUSTER_DNS is ${dns}: it takes an address in the SERVICE_CIDR ${service}, after its first, which is the API server's.`,
        ];
  return isOf(usualDns(service))
    ? []
    : [
        `CLUSTER_DNS is not set, and the SERVICE_CIDR ${service} has no tenth address: name the DNS service's.`,
      ];
}

/** The tenth address of the services, as kubeadm and most guides have it. */
export function usualDns(service: Cidr): Ipv4 {
  return toText(baseOf(service) + 10);
}

function approvalProblems(values: Partial<Values>): string[] {
  const {
    APPROVERS: approvers,
    OPERATORS: operators,
    APPROVALS_REQUIRED: required,
    APPROVE_OWN: own,
  } = values;
  if (approvers === undefined) return [];
  if (approvers.length === 0) {
    return [
      `APPROVERS is not set: nobody could approve a change, so nothing could ever be done. It takes ${PRINCIPALS}.`,
    ];
  }
  // Who is in a user group is not known here, and a group may hold everybody that is needed.
  if (operators === undefined || required === undefined || approvers.some(isGroup)) return [];
  const persons = new Set(approvers.map(personOf));
  if (persons.size < required) {
    return [
      `APPROVALS_REQUIRED is ${required}, but APPROVERS names ${persons.size}: name more, or require fewer.`,
    ];
  }
  const othersMayAsk = operators.some((id) => !persons.has(personOf(id)));
  if (own === false && !othersMayAsk && persons.size === required) {
    return [
      `APPROVALS_REQUIRED is ${required}, but whoever asks is one of the ${persons.size} in APPROVERS and can't approve the own request: name another in APPROVERS or OPERATORS, or set APPROVE_OWN=true.`,
    ];
  }
  return [];
}
