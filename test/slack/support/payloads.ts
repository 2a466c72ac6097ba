/** What Slack sends, as its documentation shows it. */

export function slashBody(text = 'nodes') {
  return {
    team_id: 'T1',
    user_id: 'U0ALICE',
    user_name: 'alice',
    channel_id: 'C0OPS',
    command: '/fairway',
    text,
    trigger_id: `t-${text}-${Math.random()}`,
    response_url: 'https://hooks.slack.test/1',
  };
}

export function mentionBody(text: string) {
  const event: Record<string, string> & { text: string } = {
    type: 'app_mention',
    user: 'U0ALICE',
    team: 'T1',
    text,
    channel: 'C0OPS',
    ts: '1.2',
  };
  return { type: 'event_callback', team_id: 'T1', event_id: `Ev${Math.random()}`, event };
}

export function clickBody(value: string) {
  return {
    type: 'block_actions',
    user: { id: 'U0ALICE', team_id: 'T1' },
    team: { id: 'T1' },
    trigger_id: `t-${Math.random()}`,
    response_url: 'https://hooks.slack.test/2',
    container: { type: 'message', channel_id: 'C0OPS', message_ts: '5.5', is_ephemeral: false },
    message: { blocks: [{ type: 'actions', elements: [] }] },
    actions: [{ action_id: 'x', value }],
  };
}

export function modalBody(reason: string | null = 'wrong rack') {
  return {
    type: 'view_submission',
    user: { id: 'U0ALICE', team_id: 'T1' },
    team: { id: 'T1' },
    view: {
      id: `V${Math.random()}`,
      hash: 'h',
      callback_id: 'deny-reason',
      private_metadata: JSON.stringify({ id: 'c17', hash: 'a1b2c3d4e5f6', channel: 'C0OPS' }),
      state: { values: { reason: { reason: { value: reason } } } },
    },
  };
}

const NODES = `cluster: prod
clusterCidr: 192.168.0.0/16
nodes:
  - { name: lin01, os: linux, address: 10.0.0.4 }
`;

export function formBody(list: string | null = NODES) {
  return {
    type: 'view_submission',
    user: { id: 'U0ALICE', team_id: 'T1' },
    team: { id: 'T1' },
    view: {
      id: `V${Math.random()}`,
      hash: 'h',
      callback_id: 'adopt-list',
      private_metadata: JSON.stringify({ channel: 'C0OPS' }),
      state: { values: { list: { list: { value: list } } } },
    },
  };
}

export function manifestBody(manifest: string | null = 'kind: Pod') {
  const { view, ...body } = formBody();
  return {
    ...body,
    view: {
      ...view,
      callback_id: 'manifest-text',
      state: { values: { manifest: { manifest: { value: manifest } } } },
    },
  };
}
