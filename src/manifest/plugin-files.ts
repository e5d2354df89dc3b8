/** A file or folder of a plugin, after symbolic links were followed. */
export interface PluginFile {
  /** What it is. There is nothing else: links were followed, and a folder with devices, sockets or pipes is refused. */
  readonly kind: 'file' | 'folder';
  /** Whether its owner, group or anybody may execute it. */
  readonly executable: boolean;
}

/**
 * The content of a plugin's folder, as far as checks need it: a snapshot, taken by whoever may read files
 * (`readPluginFolder` of the `/node` entry). It holds nothing that lies outside the folder, not even behind a link.
 */
export interface PluginFiles {
  /** What is at `path` (relative, with `/`, no `.` or `..` segments); undefined when there is nothing. */
  find(path: string): PluginFile | undefined;
}
