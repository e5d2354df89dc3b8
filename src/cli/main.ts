#!/usr/bin/env node
import { Command } from 'commander';
import { sdkIdentity } from '../plugin/sdk-identity.js';

new Command('synapse-worker').description('Checks and runs Synapse plugins outside the host process.').version(sdkIdentity.version).parse();
