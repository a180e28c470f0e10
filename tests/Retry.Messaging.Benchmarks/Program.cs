using Retry.Messaging.Benchmarks.Running;

return await BenchmarkCommand.RunAsync(args);
