/** Exact names, compared in upper case. Each loads code, decides which code is found, or belongs to the host. */
const refusedNames = new Set([
  ...['PATH', 'IFS', 'ENV', 'BASH_ENV', 'SHELLOPTS', 'BASHOPTS', 'PS4', 'PROMPT_COMMAND', 'CDPATH', 'ZDOTDIR', 'SHELL', 'HOME', 'PWD'],
  ...['GCONV_PATH', 'GLIBC_TUNABLES', 'LOCPATH', 'NLSPATH', 'HOSTALIASES', 'LOCALDOMAIN', 'RES_OPTIONS', 'RESOLV_HOST_CONF', 'GETCONF_DIR', 'TZDIR'],
  ...[
    'JAVA_TOOL_OPTIONS',
    'JDK_JAVA_OPTIONS',
    '_JAVA_OPTIONS',
    'JAVA_OPTIONS',
    'CLASSPATH',
    'DOTNET_STARTUP_HOOKS',
    'GEM_HOME',
    'GEM_PATH',
    'BUNDLE_GEMFILE',
  ],
  ...[
    'LUA_INIT',
    'LUA_PATH',
    'LUA_CPATH',
    'PHPRC',
    'PHP_INI_SCAN_DIR',
    'R_PROFILE',
    'R_ENVIRON',
    'GUILE_LOAD_PATH',
    'ERL_FLAGS',
    'ELECTRON_RUN_AS_NODE',
  ],
  ...['OPENSSL_CONF', 'OPENSSL_MODULES', 'OPENSSL_ENGINES', 'SSLKEYLOGFILE', 'SSL_CERT_FILE', 'SSL_CERT_DIR'],
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY', 'VIRTUAL_ENV', 'EDITOR', 'PAGER', 'BROWSER'],
]);
const refusedPrefixes = [
  'LD_',
  'DYLD_',
  'BASH_FUNC_',
  'MALLOC_',
  'NODE_',
  'NPM_',
  'PYTHON',
  'PERL',
  'RUBY',
  'BUN_',
  'DENO_',
  'CORECLR_',
  'COR_',
  'GIT_',
  'XDG_',
  'SYNAPSE_WORKER_',
];
/** What begins like one of those and is harmless. */
const allowedNames = new Set([
  'NODE_ENV',
  'NODE_DEBUG',
  'NODE_NO_WARNINGS',
  'PYTHONUNBUFFERED',
  'PYTHONHASHSEED',
  'PYTHONUTF8',
  'PYTHONIOENCODING',
  'PYTHONDONTWRITEBYTECODE',
  'PYTHONASYNCIODEBUG',
  'PYTHONDEVMODE',
]);

const namePattern = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Whether an environment entry can have this name at all. */
export function isEnvironmentName(name: string): boolean {
  return namePattern.test(name);
}

/**
 * Whether an entry may not come from a manifest: it makes the loader, the interpreter or a shell load other code
 * (LD_PRELOAD, NODE_OPTIONS, PYTHONPATH, BASH_ENV, …), decides which program or certificate is found (PATH, HOME,
 * SSL_CERT_FILE), or is the runtime's own (SYNAPSE_WORKER_*). Letter case does not matter, as some systems ignore it.
 */
export function isRefusedEnvironment(name: string): boolean {
  const upper = name.toUpperCase();
  if (allowedNames.has(upper)) return false;
  return refusedNames.has(upper) || refusedPrefixes.some((prefix) => upper.startsWith(prefix));
}
