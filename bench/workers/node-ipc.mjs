process.on('message', ({ id, params }) => process.send({ id, result: params }));
process.on('disconnect', () => process.exit(0));
