using FsCheck;
using FsCheck.Fluent;
using RabbitMQ.Client;
using Retry.Messaging.RabbitMq.Publishing;
using Retry.Messaging.Tests.Wire;
using Retry.Messaging.Wire;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Publishing;

public class HeaderFrameTests
{
    private const int FrameMax = 131_072;

    // frame header and end, class, weight and body size
    private const int Framing = 8 + 12;

    [Fact]
    public void A_message_that_fits_is_left_alone() =>
        HeaderFrame.Fit(Message(("mine", new string('x', 100_000))), FrameMax).ShouldBeEmpty();

    [Fact]
    public void With_120_KB_of_foreign_headers_ours_fit()
    {
        var properties = Message(("mine", new byte[120 * 1024]));

        HeaderFrame.Fit(properties, FrameMax).ShouldBeEmpty();
        ShouldFit(properties, FrameMax);
    }

    [Theory]
    [InlineData(129_600)]
    [InlineData(130_000)]
    public void Ours_are_cut_first_and_what_counts_attempts_stays(int foreign)
    {
        var properties = Message(("mine", new byte[foreign]));

        HeaderFrame.Fit(properties, FrameMax).ShouldBeEmpty();

        ShouldFit(properties, FrameMax);
        properties.Headers!.ShouldNotContainKey(RetryHeaderNames.History);
        properties.Headers!.ShouldContainKey("mine");
        properties.Headers!.ShouldContainKey(RetryHeaderNames.Attempt);
        properties.Headers!.ShouldContainKey(RetryHeaderNames.Origin);
    }

    [Fact]
    public void What_was_written_about_the_fault_goes_before_what_the_sender_wrote()
    {
        var properties = Message(("mine", new byte[128_500]), ("MT-Fault-StackTrace", new string('s', 4_000)), ("MT-Fault-Message", "never"));

        HeaderFrame.Fit(properties, FrameMax).ShouldBeEmpty();

        ShouldFit(properties, FrameMax);
        properties.Headers!.ShouldContainKey("mine");
        properties.Headers!.ShouldContainKey("MT-Fault-Message");
        properties.Headers!.ShouldContainKey(RetryHeaderNames.Kept);
    }

    [Fact]
    public void Then_the_largest_of_the_others_goes()
    {
        var properties = Message(("small", new string('s', 40_000)), ("large", new string('l', 60_000)), ("medium", new string('m', 50_000)));

        HeaderFrame.Fit(properties, FrameMax).ShouldContain("large");

        ShouldFit(properties, FrameMax);
        properties.Headers!.ShouldContainKey("small");
        properties.Headers!.ShouldContainKey("medium");
    }

    [Fact]
    public void A_stranger_who_borrows_our_prefix_is_cut_like_any_other()
    {
        var properties = Message(("retry-note", new string('x', 131_000)));

        HeaderFrame.Fit(properties, FrameMax).ShouldContain("retry-note");

        ShouldFit(properties, FrameMax);
    }

    [Fact]
    public void Binary_table_values_count_with_their_size()
    {
        var properties = Message(("binary", new BinaryTableValue(new byte[131_000])));

        HeaderFrame.Fit(properties, FrameMax).ShouldContain("binary");

        ShouldFit(properties, FrameMax);
    }

    [Fact]
    public void Without_a_limit_the_usual_one_holds()
    {
        var properties = Message(("mine", new string('x', 200_000)));

        HeaderFrame.Fit(properties, 0).ShouldContain("mine");

        ShouldFit(properties, FrameMax);
    }

    [Fact]
    public void Nothing_to_cut_is_no_error() => HeaderFrame.Fit(new BasicProperties(), 4096).ShouldBeEmpty();

    [Fact]
    public void Whatever_the_headers_the_frame_fits_as_the_client_encodes_it() =>
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(300),
            Prop.ForAll(HostileValues.Value.Where(IsWritable).ArrayOf().Zip(Gen.Elements(4_096u, 8_192u, 131_072u)).ToArbitrary(), input =>
            {
                var (values, frameMax) = input;
                var properties = new BasicProperties { MessageId = new string('m', 255), Type = new string('注', 85), Headers = new Dictionary<string, object?>() };
                for (var i = 0; i < values.Length; i++)
                {
                    properties.Headers[$"header-{i}"] = values[i];
                }

                HeaderFrame.Fit(properties, frameMax);
                return WireSize.Of(properties) + Framing <= frameMax;
            }));

    // what the client itself refuses never reaches the broker
    private static bool IsWritable(object? value)
    {
        try
        {
            WireSize.Of(new Dictionary<string, object?> { ["x"] = value });
            return true;
        }
        catch (Exception)
        {
            return false;
        }
    }

    private static void ShouldFit(BasicProperties properties, int frameMax) => (WireSize.Of(properties) + Framing).ShouldBeLessThanOrEqualTo(frameMax);

    private static BasicProperties Message(params (string Name, object Value)[] foreign)
    {
        var history = Enumerable.Range(1, 10).Aggregate(RetryHistory.Empty, (sum, number) => sum.With(new RetryAttempt(number, DateTimeOffset.UnixEpoch, "host", "type", new string('x', 100))));
        var headers = foreign.ToDictionary(header => header.Name, object? (header) => header.Value);
        RetryHeaderWriter.Write(headers, RetryState.Fresh with { Id = "m-1", Attempt = 3, Error = "boom", History = history, Kept = new KeptProperties { Exchange = "shop" } }, "orders");
        return new BasicProperties { MessageId = "m-1", ContentType = "application/json", Headers = headers };
    }
}
