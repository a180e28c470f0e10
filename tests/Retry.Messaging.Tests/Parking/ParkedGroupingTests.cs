using Retry.Messaging.Operations.Parking;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Lots;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Parking;

/// <summary>What parked messages have in common.</summary>
public sealed class ParkedGroupingTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 29, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("reason", "Exhausted")]
    [InlineData("exception", "Shop.GatewayException")]
    [InlineData("type", "Shop.Charge")]
    [InlineData("header:tenant", "acme")]
    [InlineData("header:other", "")]
    [InlineData("tenant", "")]
    public void A_message_is_in_the_group_of_its_value(string key, string name)
    {
        var grouping = ParkedGrouping.By(key).ShouldNotBeNull();

        grouping.Add(Message("1", "Shop.GatewayException: 503"));

        grouping.Groups.ShouldHaveSingleItem().Name.ShouldBe(name);
    }

    [Fact]
    public void A_message_is_found_by_the_id_or_the_name_of_its_group_and_by_no_other()
    {
        var grouping = ParkedGrouping.By("fingerprint")!;
        var message = Message("1", "Shop.GatewayException: order 17");
        grouping.Add(message);
        var group = grouping.Groups.ShouldHaveSingleItem();

        group.Id.Length.ShouldBe(8);
        grouping.IsIn(message, group.Id).ShouldBeTrue();
        grouping.IsIn(message, group.Name).ShouldBeTrue();
        grouping.IsIn(Message("2", "Shop.GatewayException: order 18"), group.Id).ShouldBeTrue();
        grouping.IsIn(Message("3", "Shop.GatewayException: no order"), group.Id).ShouldBeFalse();
    }

    [Fact]
    public void A_group_tells_how_many_since_when_and_how_many_came_back()
    {
        var grouping = ParkedGrouping.By("reason")!;
        grouping.Add(Message("2", "a", minutes: 5));
        grouping.Add(Message("1", "b", minutes: 2, replayed: 1));
        grouping.Add(Message("3", "c", minutes: 9, replayed: 2));

        grouping.Groups.ShouldBe([new ParkedGroup("Exhausted") { Count = 3, CameBack = 2, First = Noon.AddMinutes(2), Last = Noon.AddMinutes(9), Example = "2" }]);
    }

    [Fact]
    public void The_largest_group_is_first()
    {
        var grouping = ParkedGrouping.By("exception")!;
        grouping.Add(Message("1", "b"));
        grouping.Add(Message("2", "a"));
        grouping.Add(Message("3", "a"));

        grouping.Groups.Select(group => group.Name).ShouldBe(["a", "b"]);
    }

    [Fact]
    public void A_million_values_are_not_a_million_groups()
    {
        var grouping = ParkedGrouping.By("exception")!;
        for (var i = 0; i < ParkedGrouping.MostGroups + 5; i++)
        {
            grouping.Add(Message($"{i}", $"Type{i}"));
        }

        grouping.Groups.Count.ShouldBe(ParkedGrouping.MostGroups + 1);
        grouping.Groups[0].ShouldBe(new ParkedGroup(ParkedGrouping.Others) { Count = 5, First = Noon, Last = Noon, Example = $"{ParkedGrouping.MostGroups}" });
    }

    [Fact]
    public void A_value_of_any_length_is_a_name_that_fits()
    {
        var grouping = ParkedGrouping.By("exception")!;
        grouping.Add(Message("1", new string('x', 100_000)));

        grouping.Groups.ShouldHaveSingleItem().Name.ShouldBe(new string('x', 300) + "…");
    }

    [Theory]
    [InlineData("System.TimeoutException: Order 4711 took 12.5 s", "System.TimeoutException: Order * took * s")]
    [InlineData("No card 'DE-12-x' of \"anna\"", "No card * of *")]
    [InlineData("No card ‘x’ of „anna“ in `y`", "No card * of * in *")]
    [InlineData("Message 0b6f3a52-8c2d-4c0e-9a53-7b1f8a9b0c1d at 12:30:05", "Message * at *")]
    [InlineData("trace 4bf92f3577b34da6a3ce929d0e0e4736", "trace *")]
    [InlineData("pod payments-6f8cbf9-x2aadh, order 1f3d9c2a, ulid 01ARZ3NDEKTSV4RRFFQ69G5FAV", "pod *, order *, ulid *")]
    [InlineData("mail bob@x.org and al.b+c@sub.x.org bounced", "mail * and * bounced")]
    [InlineData("10.0.0.7:5432 refused /orders/17/lines", "* refused *")]
    [InlineData("The gateway is silent.", "The gateway is silent.")]
    public void What_differs_from_message_to_message_is_left_out(string error, string normalized) => FailureFingerprint.Normalize(error).ShouldBe(normalized);

    [Fact]
    public void The_first_frame_of_the_users_code_is_part_of_a_fingerprint()
    {
        const string trace = "   at System.Net.Http.HttpClient.SendAsync(HttpRequestMessage request)\n   at Shop.Gateway.ChargeAsync(Order order) in /src/Gateway.cs:line 12\n   at Shop.ChargeConsumer.Consume(ConsumeContext`1 context)\n   at MassTransit.Consumers.Send()";

        FailureFingerprint.Of(Message("1", "System.TimeoutException: after 30 s", trace: trace)).ShouldBe("System.TimeoutException: after * s at Shop.Gateway.ChargeAsync");
    }

    [Theory]
    [InlineData("   at Npgsql.Connector.Open()\n   at Shop.B.<RunAsync>d__0.MoveNext() in /src/B.cs:line 3", "Shop.B.RunAsync")]
    [InlineData("   at Npgsql.Connector.Open()\n   at Shop.B.Run()", "Npgsql.Connector.Open")]
    [InlineData("   at Shop.A.<>c__DisplayClass0_0.<<Run>b__0>d.MoveNext() in /src/A.cs:line 1", "Shop.A.Run")]
    public void A_frame_with_a_file_is_the_users_and_has_the_name_that_the_user_wrote(string trace, string frame) =>
        FailureFingerprint.Of(Message("1", "silent", trace: trace)).ShouldBe($"silent at {frame}");

    [Theory]
    [InlineData('\'')]
    [InlineData('7')]
    [InlineData('<')]
    [InlineData('@')]
    [InlineData('a')]
    [InlineData('-')]
    [InlineData('„')]
    [InlineData('\n')]
    public void A_hostile_text_is_read_in_no_time(char sign)
    {
        var text = new string(sign, 50_000);

        FailureFingerprint.Of(Message("1", text, trace: $"   at {text}(\n   at {text}")).Length.ShouldBeLessThan(100_200);
    }

    [Fact]
    public void What_the_broker_parked_has_its_word_for_a_fingerprint() =>
        FailureFingerprint.Of(new ParkedMessage { Id = "1", WorkQueue = "work", Reason = ParkReason.Poison, BrokerReason = "delivery_limit" }).ShouldBe("delivery_limit");

    private static ParkedMessage Message(string id, string error, int minutes = 0, int replayed = 0, string? trace = null)
    {
        var headers = new Dictionary<string, object?> { ["tenant"] = "acme"u8.ToArray() };
        if (trace is not null)
        {
            headers["MT-Fault-StackTrace"] = System.Text.Encoding.UTF8.GetBytes(trace);
        }

        return new ParkedMessage
        {
            Id = id,
            WorkQueue = "work",
            Reason = ParkReason.Exhausted,
            Error = error,
            ExceptionTypes = [error.Split(':')[0]],
            MessageType = "Shop.Charge",
            ParkedAt = Noon.AddMinutes(minutes),
            RawHeaders = headers,
            State = RetryState.Fresh with { Replayed = replayed },
        };
    }
}
