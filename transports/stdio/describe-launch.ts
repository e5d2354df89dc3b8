/** Who is described by {@link describeLaunch}. */
export interface LaunchDescription {
  /** The plugin's id, where it is known. */
  readonly pluginId?: string;
}

/** What an SDK prints when its program was started without a channel, before it exits with status 2. */
export function describeLaunch(description: LaunchDescription = {}): string {
  const name = description.pluginId === undefined ? 'This program' : `This program (the plugin ${description.pluginId})`;
  return [
    `${name} is a worker of a Synapse host and is started by one; it does nothing by itself.`,
    '',
    'To check it and to call one of its methods:',
    '  synapse-worker validate <folder of the plugin>',
    "  synapse-worker run <folder of the plugin> --call <method> --params '<JSON>'",
    '',
    'A host names the way to itself in the environment variable SYNAPSE_WORKER_CHANNEL, which is not set here.',
    'To have it dial in to a host that listens:',
    '  SYNAPSE_WORKER_CHANNEL=unix:/PATH SYNAPSE_WORKER_TOKEN_FILE=FILE <this program>   (or wss://…)',
    '',
  ].join('\n');
}
