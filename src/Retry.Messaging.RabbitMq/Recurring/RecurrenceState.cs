using System.Collections.Immutable;
using System.Text.Json;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.Recurring;

namespace Retry.Messaging.RabbitMq.Recurring;

/// <summary>All that the control log says about one recurrence. Pure: what is to be done about it follows from this and the time.</summary>
internal sealed record RecurrenceState(string Name)
{
    private static readonly DateTimeOffset[] Nothing = [];

    /// <summary>Gets what recurs and when; <see langword="null"/> before anything was said.</summary>
    public RecurrenceDefinition? Definition { get; init; }

    /// <summary>Gets what was said about it.</summary>
    public RecurrenceSetting Setting { get; init; } = RecurrenceSetting.None;

    /// <summary>Gets how far it has come.</summary>
    public RecurrenceProgress Progress { get; init; } = RecurrenceProgress.None;

    /// <summary>Gets who wrote the definition, and when.</summary>
    public ControlRecord? DefinedBy { get; init; }

    /// <summary>Gets who wrote the setting, and when.</summary>
    public ControlRecord? SetBy { get; init; }

    /// <summary>Gets the version of the progress.</summary>
    public long ProgressVersion { get; init; }

    /// <summary>Gets why it is not known what to do, or <see langword="null"/>. Unreadable is never "nothing is set": nothing is sent then.</summary>
    public string? WhyUnreadable => Unreadable.Values.FirstOrDefault();

    /// <summary>Gets its slots.</summary>
    public CronSlots? Slots { get; init; }

    // by the kind of document
    private ImmutableDictionary<string, string> Unreadable { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Gets a value indicating whether it recurs.</summary>
    public bool Lives => Definition is { Removed: false };

    /// <summary>Gets the moment up to which all slots are decided.</summary>
    public DateTimeOffset DecidedUpTo =>
        new[] { Definition?.Since, Setting.ResumedAt, Progress.UpTo }.Max() ?? DateTimeOffset.MinValue;

    /// <summary>Decides what is to be done.</summary>
    /// <param name="now">The current time.</param>
    public RecurrenceStep Decide(DateTimeOffset now)
    {
        if (!Lives || WhyUnreadable is not null)
        {
            return new([], Progress, null);
        }

        var plan = Setting.Paused ? new SlotPlan(Nothing, DecidedUpTo, null) : SlotPlan.Decide(Slots!, Definition!.Missed, DecidedUpTo, now);
        var messages = new List<RecurrenceMessage>();
        for (var request = Progress.Answered + 1; request <= Setting.Requested && messages.Count < SlotPlan.MostAtOnce; request++)
        {
            messages.Add(new(SlotId.OutOfTurn(Name, request), now));
        }

        var answered = Progress.Answered + messages.Count;
        messages.AddRange(plan.Due.Select(slot => new RecurrenceMessage(SlotId.Of(Name, slot), slot)));
        return new(
            messages,
            new RecurrenceProgress { UpTo = plan.Due.Count > 0 ? plan.DecidedUpTo : Progress.UpTo, Answered = answered, SentAt = now },
            answered < Setting.Requested ? now : plan.Next);
    }

    /// <summary>The state after one more record; those of other kinds are passed over.</summary>
    public RecurrenceState With(ControlRecord record)
    {
        try
        {
            var read = record.Kind switch
            {
                RecurrenceDocuments.DefinitionKind => Define(record),
                RecurrenceDocuments.SettingKind => this with { Setting = RecurrenceDocuments.Read<RecurrenceSetting>(record), SetBy = record },
                RecurrenceDocuments.ProgressKind => this with
                {
                    Progress = RecurrenceDocuments.Read<RecurrenceProgress>(record),
                    ProgressVersion = record.Version,
                },
                _ => this,
            };
            return read with { Unreadable = Unreadable.Remove(record.Kind) };
        }
        catch (Exception exception) when (exception is JsonException or FormatException)
        {
            return this with
            {
                DefinedBy = record.Kind == RecurrenceDocuments.DefinitionKind ? record : DefinedBy,
                SetBy = record.Kind == RecurrenceDocuments.SettingKind ? record : SetBy,
                ProgressVersion = record.Kind == RecurrenceDocuments.ProgressKind ? record.Version : ProgressVersion,
                Unreadable = Unreadable.SetItem(record.Kind, $"The document '{record.Kind}' of '{record.Key}' cannot be read here. {exception.Message}"),
            };
        }
    }

    private RecurrenceState Define(ControlRecord record)
    {
        var definition = RecurrenceDocuments.Read<RecurrenceDefinition>(record);
        return this with { Definition = definition, DefinedBy = record, Slots = definition.Removed ? null : definition.Slots() };
    }
}
