using System.Text.Json;
using Retry.Messaging.Idempotency;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Idempotency;

/// <summary>Two senders who mean the same have the same hash, and no others.</summary>
public class CanonicalJsonTests
{
    [Theory]
    [InlineData("""{"a":1,"b":"x"}""", """{ "b" : "x", "a" : 1 }""")]
    [InlineData("""{"a":1.50}""", """{"a":1.5}""")]
    [InlineData("""{"a":100}""", """{"a":1e2}""")]
    [InlineData("""{"a":"é"}""", """{"a":"\u00e9"}""")]
    [InlineData("""{"a":1,"b":null}""", """{"a":1}""")]
    [InlineData("""{"a":{"y":[1,{"d":1,"c":2}],"x":0}}""", """{"a":{"x":0,"y":[1,{"c":2,"d":1}]}}""")]
    public void The_same_meaning_is_the_same(string one, string other) => Hash(one).ShouldBe(Hash(other));

    [Theory]
    [InlineData("""{"a":1}""", """{"a":2}""")]
    [InlineData("""{"a":1}""", """{"a":"1"}""")]
    [InlineData("""{"a":1}""", """{"A":1}""")]
    [InlineData("""[1,2]""", """[2,1]""")]
    [InlineData("""[1,null]""", """[1]""")]
    [InlineData("""{"a":12345678901234567890123456789012345}""", """{"a":12345678901234567890123456789012346}""")]
    [InlineData("""{"a":true}""", """{"a":false}""")]
    public void Another_meaning_is_another(string one, string other) => Hash(one).ShouldNotBe(Hash(other));

    private static string Hash(string json)
    {
        using var document = JsonDocument.Parse(json);
        return CanonicalJson.Hash(document.RootElement);
    }
}
