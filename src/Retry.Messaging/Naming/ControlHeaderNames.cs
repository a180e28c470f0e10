namespace Retry.Messaging.Naming;

/// <summary>The one home of the names of the headers of control: of records of its log, and of permits.</summary>
internal static class ControlHeaderNames
{
    /// <summary>What the document is for, as a rule the name of a work queue. String.</summary>
    public const string Key = "control-key";

    /// <summary>The document's version, from 1. Integer.</summary>
    public const string Version = "control-version";

    /// <summary>Who wrote the document. String.</summary>
    public const string By = "control-by";

    /// <summary>When the document was written, in milliseconds since 1970, UTC. Integer.</summary>
    public const string At = "control-at";

    /// <summary>Whether the document was written before, and is only repeated. Boolean.</summary>
    public const string Repeat = "control-repeat";

    /// <summary>The number of a permit. Integer.</summary>
    public const string Permit = "control-permit";

    /// <summary>Whether a permit is for a probe. Boolean.</summary>
    public const string Probe = "control-probe";

    /// <summary>Whether the target answered the delivery that began with a permit; absent where it begins only now. Boolean.</summary>
    public const string Answered = "control-answered";
}
