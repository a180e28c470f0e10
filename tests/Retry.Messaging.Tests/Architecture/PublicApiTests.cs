using System.Reflection;
using System.Runtime.CompilerServices;
using Shouldly;
using Xunit;

namespace Retry.Messaging.Tests.Architecture;

/// <summary>What users see of each library, in a file that a change has to touch.</summary>
public class PublicApiTests
{
    private const string AcceptVariable = "RETRY_ACCEPT_PUBLIC_API";

    public static TheoryData<string> Libraries =>
        [.. Repository.Projects.Where(project => project.Folder == "src" && project.Name != "Retry.Messaging.Cli").Select(project => project.Name)];

    [Theory]
    [MemberData(nameof(Libraries))]
    public void The_public_surface_is_the_approved_one(string library)
    {
        var file = Path.Combine(Repository.Root, "tests/Retry.Messaging.Tests/PublicApi", library + ".approved.txt");
        var actual = PublicApi.Of(Assembly.Load(library));
        if (Environment.GetEnvironmentVariable(AcceptVariable) is { Length: > 0 })
        {
            File.WriteAllLines(file, actual);
            return;
        }

        var approved = File.Exists(file) ? File.ReadAllLines(file) : [];
        var diff = approved.Except(actual).Select(line => "- " + line).Concat(actual.Except(approved).Select(line => "+ " + line)).ToList();
        diff.ShouldBeEmpty($"The public surface of {library} has changed. If it is meant to, accept it: {AcceptVariable}=1 dotnet test tests/Retry.Messaging.Tests --filter PublicApi, and commit the file.");
        actual.ShouldBe(approved);
    }

    /// <summary>Public types and members, one a line, sorted.</summary>
    private static class PublicApi
    {
        private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

        public static string[] Of(Assembly assembly) =>
            [.. assembly.GetExportedTypes().SelectMany(Lines).Order(StringComparer.Ordinal)];

        private static IEnumerable<string> Lines(Type type)
        {
            var name = Name(type);
            yield return $"{name} : {Kind(type)}{Bases(type)}";
            foreach (var member in type.GetMembers(Declared).Where(IsVisible).Select(Signature))
            {
                yield return $"{name}.{member}";
            }
        }

        private static bool IsVisible(MemberInfo member) => member switch
        {
            // accessors and operators' twins stand in their property or event; a record's copying is the compiler's
            MethodInfo method => IsVisible((MethodBase)method) && !(method.IsSpecialName && !method.Name.StartsWith("op_", StringComparison.Ordinal)) && method.GetCustomAttribute<CompilerGeneratedAttribute>() is null,
            ConstructorInfo constructor => IsVisible((MethodBase)constructor) && constructor.GetCustomAttribute<CompilerGeneratedAttribute>() is null,
            PropertyInfo property => property.GetAccessors(true).Any(IsVisible) && property.Name != "EqualityContract",
            FieldInfo field => (field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly) && !field.IsSpecialName,
            EventInfo change => IsVisible(change.AddMethod!),
            _ => false,
        };

        private static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

        private static string Signature(MemberInfo member) => member switch
        {
            ConstructorInfo constructor => $"ctor({Parameters(constructor)})",
            MethodInfo method => $"{method.Name}{Generics(method.IsGenericMethod ? method.GetGenericArguments() : [])}({Parameters(method)}) : {Static(method)}{Nullable(method.ReturnParameter)}",
            PropertyInfo property => $"{property.Name}{Index(property)} : {Static(property.GetAccessors(true)[0])}{Nullable(property)} {{{Accessors(property)} }}",
            FieldInfo field => $"{field.Name} : {(field.IsLiteral ? $"const {Nullable(field)} = {Value(field.GetRawConstantValue())}" : $"{(field.IsStatic ? "static " : "")}{(field.IsInitOnly ? "readonly " : "")}{Nullable(field)}")}",
            EventInfo change => $"{change.Name} : event {Name(change.EventHandlerType!)}",
            _ => member.Name,
        };

        private static string Accessors(PropertyInfo property)
        {
            var text = property.GetMethod is { } get && IsVisible(get) ? " get;" : "";
            if (property.SetMethod is { } set && IsVisible(set))
            {
                text += set.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) ? " init;" : " set;";
            }

            return text;
        }

        private static string Index(PropertyInfo property) => property.GetIndexParameters() is { Length: > 0 } index ? $"[{string.Join(", ", index.Select(Parameter))}]" : "";

        private static string Parameters(MethodBase method) =>
            (method.IsDefined(typeof(ExtensionAttribute)) ? "this " : "") + string.Join(", ", method.GetParameters().Select(Parameter));

        private static string Parameter(ParameterInfo parameter) =>
            (parameter.IsDefined(typeof(ParamArrayAttribute)) ? "params " : "")
            + (parameter.IsOut ? "out " : parameter.ParameterType.IsByRef ? "ref " : "")
            + $"{Nullable(parameter)} {parameter.Name}"
            + (parameter.HasDefaultValue ? " = " + Value(parameter.DefaultValue) : "");

        private static string Value(object? value) => value switch
        {
            null => "default",
            string text => $"\"{text.ReplaceLineEndings("\\n")}\"",
            _ => Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture) ?? "",
        };

        private static string Static(MethodBase method) => method.IsStatic ? "static " : method.IsAbstract ? "abstract " : method.IsVirtual && !method.IsFinal ? "virtual " : "";

        private static string Kind(Type type) =>
            type.IsEnum ? "enum"
            : type.IsInterface ? "interface"
            : typeof(Delegate).IsAssignableFrom(type) ? "delegate"
            : type.IsValueType ? "struct"
            : (type.IsAbstract && type.IsSealed ? "static " : type.IsAbstract ? "abstract " : type.IsSealed ? "sealed " : "")
                + (type.GetMethod("<Clone>$") is null ? "class" : "record");

        private static string Bases(Type type)
        {
            IEnumerable<Type> bases = type.IsEnum || type.IsValueType ? [] : type.BaseType is { } parent && parent != typeof(object) ? [parent] : [];
            var inherited = type.BaseType?.GetInterfaces() ?? [];
            var own = type.IsEnum ? [] : type.GetInterfaces().Except(inherited).Where(contract => contract.IsVisible && !(contract.IsGenericType && contract.GetGenericTypeDefinition() == typeof(IEquatable<>)));
            string[] all = [.. bases.Select(Name), .. own.Select(Name).Order(StringComparer.Ordinal)];
            return all.Length == 0 ? "" : $" : {string.Join(", ", all)}";
        }

        private static string Nullable(ParameterInfo parameter) => Nullable(parameter.ParameterType, new NullabilityInfoContext().Create(parameter));

        private static string Nullable(PropertyInfo property) => Nullable(property.PropertyType, new NullabilityInfoContext().Create(property));

        private static string Nullable(FieldInfo field) => Nullable(field.FieldType, new NullabilityInfoContext().Create(field));

        private static string Nullable(Type type, NullabilityInfo info) =>
            Name(type) + (!type.IsValueType && (info.ReadState == NullabilityState.Nullable || info.WriteState == NullabilityState.Nullable) ? "?" : "");

        private static string Generics(Type[] arguments) => arguments.Length == 0 ? "" : $"<{string.Join(", ", arguments.Select(Name))}>";

        private static string Name(Type type)
        {
            if (type.IsByRef)
            {
                return Name(type.GetElementType()!);
            }

            if (type.IsArray)
            {
                return Name(type.GetElementType()!) + "[]";
            }

            if (type.IsGenericParameter)
            {
                return type.Name;
            }

            if (System.Nullable.GetUnderlyingType(type) is { } value)
            {
                return Name(value) + "?";
            }

            var name = type.IsNested ? $"{Name(type.DeclaringType!)}.{type.Name}" : IsBasic(type) ? type.Name : $"{type.Namespace}.{type.Name}";
            var tick = name.IndexOf('`', StringComparison.Ordinal);
            return tick < 0 ? name : name[..tick] + Generics(type.GetGenericArguments());
        }

        private static bool IsBasic(Type type) => type.Namespace is "System" or "System.Collections.Generic" or "System.Threading" or "System.Threading.Tasks";
    }
}
