using System.Collections;
using System.Text.Json;
using System.Text.RegularExpressions;
using Retry.Messaging.Cli.Commands.Delayed;
using Retry.Messaging.Cli.Commands.Lost;
using Retry.Messaging.Cli.Commands.Nodes;
using Retry.Messaging.Cli.Commands.Once;
using Retry.Messaging.Cli.Commands.Parked;
using Retry.Messaging.Cli.Commands.Plans;
using Retry.Messaging.Cli.Commands.Points;
using Retry.Messaging.Cli.Commands.Policies;
using Retry.Messaging.Cli.Commands.Rules;
using Retry.Messaging.Cli.Commands.Schedule;
using Retry.Messaging.Cli.Commands.Topology;
using Retry.Messaging.Cli.Output;
using Retry.Messaging.Idempotency;
using Retry.Messaging.Operations.Parking;
using Retry.Messaging.Outcomes;
using Retry.Messaging.RabbitMq.Limiter;
using Retry.Messaging.Tests.Architecture;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Docs;

/// <summary>The fields that docs/retryctl.md names are those of the documents that <c>--json</c> writes.</summary>
public sealed partial class JsonFieldTests
{
    private static readonly Dictionary<string, Type> Documents = new()
    {
        ["`parked list`, `parked show`, `lost list`"] = typeof(ParkedMessageDocument),
        ["`parked list --group-by`"] = typeof(ParkedGroupDocument),
        ["`parked export`"] = typeof(ExportedMessage),
        ["`parked import`"] = typeof(ParkedImportDocument),
        ["`parked replay`, `parked discard`, `parked archive`, `parked restore`, `parked adopt`"] = typeof(ParkedMoveDocument),
        ["`plans list`, `plans show`, `plans cancel`"] = typeof(PlanDocument),
        ["`rules list`, `rules show`, `rules set`, `rules pause`, `rules resume`, `rules remove`"] = typeof(RuleDocument),
        ["`lost replay`"] = typeof(LostMoveDocument),
        ["`points`"] = typeof(PointsDocument),
        ["`delayed list`"] = typeof(DelayedDocument),
        ["`delayed release`"] = typeof(DelayedReleaseDocument),
        ["`nodes`"] = typeof(NodeDocument),
        ["`once stats`"] = typeof(IdempotencyStats),
        ["`once show`"] = typeof(OnceKeyDocument),
        ["`once forget`"] = typeof(OnceForgetDocument),
        ["`once prune`"] = typeof(OncePruneDocument),
        ["`schedule list`"] = typeof(ScheduleListDocument),
        ["`schedule show`, `schedule pause`, `schedule resume`, `schedule now`"] = typeof(RecurrenceDocument),
        ["`schedule show` of a scheduled message"] = typeof(ScheduledDocument),
        ["`topology plan`"] = typeof(TopologyPlanDocument),
        ["`topology apply`"] = typeof(TopologyApplyDocument),
        ["`topology verify`"] = typeof(TopologyVerifyDocument),
        ["`topology remove`"] = typeof(TopologyRemoveDocument),
        ["`policy show`, `policy set`, `policy clear`"] = typeof(PolicyReportDocument),
        ["`limiter status`"] = typeof(LimiterReport),
        ["`limiter rate`, `limiter pause`, `limiter resume`"] = typeof(LimiterSetting),
        ["`schedule cancel`"] = typeof(ScheduleCancelDocument),
    };

    public static TheoryData<string> Headings => [.. Documents.Keys];

    [Theory]
    [MemberData(nameof(Headings))]
    public void Every_field_is_documented_and_no_other(string heading)
    {
        var documented = File.ReadLines(Path.Combine(Repository.Root, "docs/retryctl.md"))
            .SkipWhile(line => line != $"### {heading}").Skip(1).TakeWhile(line => !line.StartsWith('#'))
            .Where(line => line.StartsWith("| `", StringComparison.Ordinal))
            .SelectMany(line => Code().Matches(line.Split('|')[1]).Select(match => match.Groups[1].Value));

        documented.ShouldBe(FieldsOf(Documents[heading], string.Empty), ignoreOrder: true);
    }

    /// <summary>An anonymous one would have no type to compare the page with.</summary>
    [Fact]
    public void Every_document_has_a_type() =>
        Repository.Sources("src").Where(file => Anonymous().IsMatch(File.ReadAllText(file))).ShouldBeEmpty();

    private static IEnumerable<string> FieldsOf(Type document, string path)
    {
        foreach (var property in document.GetProperties().Where(property => property.GetMethod is { IsStatic: false } && property.Name != "EqualityContract"))
        {
            var name = path + JsonNamingPolicy.CamelCase.ConvertName(property.Name);
            yield return name;
            var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            var isList = type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>);
            var item = isList ? type.GetGenericArguments()[0] : type;
            foreach (var field in IsDocument(item) ? FieldsOf(item, name + (isList ? "[]." : ".")) : [])
            {
                yield return field;
            }
        }
    }

    private static bool IsDocument(Type type) =>
        type.Namespace?.StartsWith("Retry.Messaging", StringComparison.Ordinal) == true && type != typeof(ParkReason) && !typeof(IEnumerable).IsAssignableFrom(type) && !type.IsEnum;

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();

    [GeneratedRegex(@"JsonOutput\.WriteLine\([^;]*?,\s*new\s*\{")]
    private static partial Regex Anonymous();
}
