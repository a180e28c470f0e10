using Retry.Messaging.BrokerTests.Observing;
using Retry.Messaging.Cli;
using Retry.Messaging.Cli.Hosting;
using Retry.Messaging.Tests.Docs;
using Shouldly;
using Xunit;

namespace Retry.Messaging.BrokerTests.Docs;

/// <summary>Runs the console blocks of the documentation that are marked runnable.</summary>
[Collection(OperatorBroker.Name)]
public sealed class RunnableBlockTests(BrokerFixture broker)
{
    private const string Prompt = "$ ";

    public static TheoryData<string> Pages => [.. MarkdownPage.FindAll().Where(page => page.Blocks("console runnable").Count > 0).Select(page => page.Name)];

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task Every_runnable_block_runs(string page)
    {
        foreach (var block in MarkdownPage.Read(page).Blocks("console runnable"))
        {
            var address = await broker.CreateVirtualHostAsync();
            await using var raw = await RawClient.ConnectAsync(address);
            await raw.DeclareQueueAsync("payments");
            foreach (var line in block.Split('\n').Where(line => line.StartsWith(Prompt, StringComparison.Ordinal)))
            {
                var words = line[Prompt.Length..].Split('#')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries);
                words[0].ShouldBe(RetryCtl.Name, $"{page}: only {RetryCtl.Name} is run from a block; found '{line}'");
                var output = new StringWriter();
                var error = new StringWriter();
                var host = new CliHost { Out = output, Error = error, Variable = name => name switch { "RETRY_BROKER" => address.ToString(), "RETRY_MANAGEMENT" => broker.Broker.ManagementUri?.ToString(), _ => null } };

                var exitCode = await RetryCtl.InvokeAsync(words[1..], host);

                exitCode.ShouldBe(ExitCode.Done, $"{page}: {line}\n{output}\n{error}");
            }
        }
    }
}
