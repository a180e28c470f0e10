using Payments.Running;

return await CommandLine.RunAsync(args);
