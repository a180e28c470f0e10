using Retry.Messaging.Configuration;
using Retry.Messaging.RabbitMq.Circuit;
using Retry.Messaging.RabbitMq.Control;
using Retry.Messaging.RabbitMq.Strategies;

namespace Retry.Messaging.RabbitMq.Limiter;

/// <summary>What the control log says about the limiter of one point.</summary>
/// <remarks>Written by the reader of the log, read by the limiter's loop.</remarks>
internal sealed class LimiterSettings(string point)
{
    private volatile LimiterSetting _setting = new() { Point = point };
    private volatile LimiterException? _unreadable;
    private volatile LimiterCode? _code;
    private volatile CircuitDocument? _circuit;
    private volatile string? _pausedBy;
    private volatile RetryPointSettings _operators = new();
    private long _version;
    private long _codeVersion;

    /// <summary>Gets why the setting is not known, or <see langword="null"/>. An unreadable setting is never "nothing is set".</summary>
    public string? WhyUnreadable => _unreadable?.Message;

    /// <summary>Gets the last setting that makes sense.</summary>
    public LimiterSetting LastReadable => _setting;

    /// <summary>Gets the setting in force.</summary>
    /// <exception cref="LimiterException">It cannot be read.</exception>
    public LimiterSetting Current => _unreadable is { } unreadable ? throw new LimiterException(unreadable.Message, unreadable) : _setting;

    /// <summary>Gets the version that the next setting must have.</summary>
    public long NextVersion => Volatile.Read(ref _version) + 1;

    /// <summary>Gets who has paused the whole point, or <see langword="null"/>.</summary>
    public string? PausedBy => _pausedBy;

    /// <summary>Applies what operators have set to the retry budget that the code asks for.</summary>
    /// <returns>The budget in force, or null for none.</returns>
    public RetryBudget? BudgetOver(RetryBudget? code) => _operators.BudgetOver(code);

    /// <summary>Gets the last document about the point's circuit that makes sense; <see langword="null"/> where there has been none.</summary>
    public CircuitDocument? Circuit => _circuit;

    /// <summary>Gets what the code of the point's services said last, or <see langword="null"/> when that is not known.</summary>
    public LimiterCode? Code => _code;

    /// <summary>Gets the version that the next word of the code must have.</summary>
    public long NextCodeVersion => Volatile.Read(ref _codeVersion) + 1;

    /// <summary>Takes in a record of the log; those of other kinds and points are passed over.</summary>
    public void Read(ControlRecord record)
    {
        if (record.Key != point)
        {
            return;
        }

        switch (record.Kind)
        {
            case LimiterDocument.SettingKind:
                ReadSetting(record);
                break;

            case LimiterDocument.CodeKind:
                Volatile.Write(ref _codeVersion, record.Version);
                _code = LimiterDocument.ReadCode(record);
                break;

            case PolicyDocument.Kind:
                ReadPolicy(record);
                break;

            case CircuitDocument.Kind:
                // one that makes no sense is said by whoever obeys it
                _circuit = CircuitDocument.TryRead(record) ?? _circuit;
                break;
        }
    }

    // one that makes no sense is said by whoever obeys it, and changes nothing
    private void ReadPolicy(ControlRecord record)
    {
        try
        {
            var (settings, wrong) = OperatorSettings.Read(PolicyDocument.Read(record).Settings, point);
            if (wrong.Count == 0)
            {
                _operators = settings;
                _pausedBy = settings.Switch == RetrySwitch.Paused ? record.By : null;
            }
        }
        catch (ControlException)
        {
            // as above
        }
    }

    private void ReadSetting(ControlRecord record)
    {
        Volatile.Write(ref _version, record.Version);
        try
        {
            _setting = LimiterDocument.ReadSetting(record);
            _unreadable = null;
        }
        catch (LimiterException exception)
        {
            _unreadable = exception;
        }
    }
}
