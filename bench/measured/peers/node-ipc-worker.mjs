import { echoService } from '../echo-service.mjs';

const service = echoService({ notify: (method, params) => process.send({ method, params }) });
process.on('message', ({ id, method, params }) => {
  if (id === undefined) service.notifications[method](params);
  else process.send({ id, result: service.methods[method](params) });
});
process.on('disconnect', () => process.exit(0));
