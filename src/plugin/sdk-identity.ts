/** What this library says about itself in a hello. The version is that of package.json; a test compares the two. */
export const sdkIdentity = { name: '@synapse/worker-runtime', version: '0.1.0', language: 'javascript' } as const;
