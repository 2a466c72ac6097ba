/** What a Windows node runs, as the guide's cluster has it. */
export const PROGRAMS = {
  pauseImage: 'apprenda/pause',
  executables: { kubelet: 'C:\\k\\kubelet.exe', 'kube-proxy': 'C:\\k\\kube-proxy.exe' },
};
