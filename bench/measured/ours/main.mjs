import { serve } from '@synapse/worker-runtime/plugin';
import { echoPlugin } from './echo-plugin.mjs';

await serve(echoPlugin());
