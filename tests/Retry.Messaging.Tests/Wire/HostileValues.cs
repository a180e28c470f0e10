using System.Text;
using FsCheck;
using FsCheck.Fluent;
using RabbitMQ.Client;
using Retry.Messaging.Wire;

namespace Retry.Messaging.Tests.Wire;

/// <summary>What a stranger may write into headers.</summary>
public static class HostileValues
{
    public static readonly string[] Names =
    [
        RetryHeaderNames.Id, RetryHeaderNames.Attempt, RetryHeaderNames.FirstFailedAt, RetryHeaderNames.DueAt, RetryHeaderNames.Deadline,
        RetryHeaderNames.Error, RetryHeaderNames.History, RetryHeaderNames.Reason, RetryHeaderNames.Crashes, RetryHeaderNames.Replayed,
        RetryHeaderNames.Plan, RetryHeaderNames.Kept,
    ];

    private static readonly string[] KeptKeys = ["exchange", "routing-key", "priority", "expiration", "expires-at", "user-id", "cc", "bcc"];

    private static readonly string[] Texts =
    [
        "", " ", "x", "-1", "999", "\0\u0001\u001b[2J", "a\tb\nc\rd", "\ud800", "\udc00\ud800", "größe 注文 🛒", string.Concat(Enumerable.Repeat("🛒", 1_000)), new('\n', 5_000),
        "1\t2026-01-01T00:00:00.000Z\thost\ttype\tmessage", "99999999999\tyesterday\t\t\t", new('注', 100_000), "0000000000000000000000000000000000001",
    ];

    private static readonly object?[] Scalars =
    [
        null, true, false, (sbyte)-1, (byte)255, short.MinValue, ushort.MaxValue, -1, 0, 1, int.MaxValue, int.MinValue, uint.MaxValue, -1L, long.MaxValue,
        long.MinValue, ulong.MaxValue, 1.5f, double.NaN, double.PositiveInfinity, decimal.MaxValue, new AmqpTimestamp(-1), new AmqpTimestamp(long.MaxValue), 'c',
    ];

    public static readonly Gen<object?> Value = Values(3);

    public static readonly Gen<Dictionary<string, object?>> Headers =
        Gen.Elements(Names).Zip(Value).ArrayOf().Select(entries =>
        {
            var headers = new Dictionary<string, object?>();
            foreach (var (name, value) in entries)
            {
                headers[name] = value;
            }

            return headers;
        });

    private static Gen<object?> Values(int depth)
    {
        var leaves = Gen.OneOf(
            Gen.Elements(Scalars),
            Gen.Elements(Texts).Select(text => (object?)text),
            Gen.Elements(Texts).Select(text => (object?)Encoding.UTF8.GetBytes(text)),
            Gen.Choose(0, 255).Select(number => (byte)number).ArrayOf().Select(bytes => (object?)bytes));
        if (depth == 0)
        {
            return leaves;
        }

        var inner = Values(depth - 1);
        return Gen.Frequency(
            (6, leaves),
            (1, inner.ArrayOf().Select(items => (object?)items.ToList())),
            (2, Gen.Elements(KeptKeys).Zip(inner).ArrayOf().Select(entries => (object?)entries.GroupBy(entry => entry.Item1).ToDictionary(group => group.Key, group => group.First().Item2))));
    }
}
