using Retry.Messaging.RabbitMq.Control;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Control;

public class ControlDocumentsTests
{
    private const string Kind = "limit";
    private readonly ControlDocuments _documents = new();

    [Fact]
    public void Of_two_records_with_one_version_the_first_counts()
    {
        _documents.Apply(Record(1, "a")).ShouldBeTrue();
        _documents.Apply(Record(1, "b")).ShouldBeFalse();

        _documents.Find(Kind, "orders")!.Id.ShouldBe("a");
    }

    [Theory]
    [InlineData(2, true)]
    [InlineData(9, true)]
    [InlineData(1, false)]
    public void A_record_counts_when_its_version_is_higher(long version, bool counts)
    {
        _documents.Apply(Record(1, "a"));

        _documents.Apply(Record(version, "b")).ShouldBe(counts);
    }

    [Fact]
    public void A_repeat_is_no_change_to_who_knows_the_document()
    {
        _documents.Apply(Record(3, "a"));

        _documents.Apply(Record(3, "a") with { IsRepeat = true }).ShouldBeFalse();
    }

    [Fact]
    public void A_repeat_tells_a_newcomer_which_of_two_with_one_version_was_first()
    {
        // the first of the two has been taken by retention, so the newcomer meets the second one
        _documents.Apply(Record(3, "second"));

        _documents.Apply(Record(3, "first") with { IsRepeat = true }).ShouldBeTrue();
        _documents.Find(Kind, "orders")!.Id.ShouldBe("first");
    }

    [Fact]
    public void A_repeat_that_came_late_changes_nothing()
    {
        _documents.Apply(Record(4, "new"));

        _documents.Apply(Record(3, "old") with { IsRepeat = true }).ShouldBeFalse();
        _documents.Find(Kind, "orders")!.Id.ShouldBe("new");
    }

    [Fact]
    public void A_document_is_due_for_repetition_when_enough_was_written_after_it_and_no_more_after_its_repeat()
    {
        var record = Record(1, "a");
        _documents.Apply(record);
        for (var i = 1; i <= 10; i++)
        {
            _documents.Apply(Record(i, $"b{i}", key: "payments"));
        }

        var after = 10L * ControlDocuments.SizeOf(Record(1, "b1", key: "payments"));
        _documents.OlderThan(after - 100).Select(document => document.Id).ShouldBe(["a"]);
        _documents.OlderThan(after + 100).ShouldBeEmpty();
        _documents.Apply(record with { IsRepeat = true });
        _documents.OlderThan(after - 100).ShouldBeEmpty();
    }

    [Fact]
    public void Kinds_and_keys_are_apart()
    {
        _documents.Apply(Record(1, "a"));
        _documents.Apply(Record(1, "b", key: "payments"));
        _documents.Apply(Record(1, "c") with { Kind = "breaker" });

        _documents.OfKind(Kind).Select(record => record.Id).ShouldBe(["a", "b"], ignoreOrder: true);
        _documents.Find("breaker", "orders")!.Id.ShouldBe("c");
        _documents.Find("breaker", "payments").ShouldBeNull();
    }

    private static ControlRecord Record(long version, string id, string key = "orders") => new(Kind, key, version, "{}"u8.ToArray()) { Id = id };
}
