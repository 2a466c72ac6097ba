/** A kubeconfig with one context. `user` and `cluster` are YAML's inner parts of a flow mapping. */
export function kubeconfig(server: string, user: string, cluster = ''): string {
  return `
current-context: prod
contexts: [{name: prod, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "${server}"${cluster}}}]
users: [{name: u, user: {${user}}}]
`;
}
