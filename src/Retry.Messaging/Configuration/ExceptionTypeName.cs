using System.Reflection;

namespace Retry.Messaging.Configuration;

/// <summary>Finds the exception type that a name in appsettings means.</summary>
internal static class ExceptionTypeName
{
    /// <summary>Looks a name up in the loaded assemblies, or, when it names its assembly, in that one.</summary>
    /// <returns>The type, or what is wrong with the name.</returns>
    internal static (Type? Type, string? Problem) Resolve(string name)
    {
        Type[] found = name.Contains(',', StringComparison.Ordinal) ? [.. InItsAssembly(name)] : [.. InLoadedAssemblies(name)];
        return found switch
        {
            [] => (null, $"found '{name}', wanted the full name of an exception type{Hint(name)}"),
            [var type] when !typeof(Exception).IsAssignableFrom(type) =>
                (null, $"found '{name}', which is not an exception, wanted a type that derives from System.Exception"),
            [var type] when type.ContainsGenericParameters => (null, $"found '{name}', which leaves type parameters open, wanted a closed type"),
            [var type] => (type, null),
            _ => (null, $"found '{name}' in several assemblies, wanted one: write '{string.Join("' or '", found.Select(QualifiedName))}'"),
        };
    }

    private static IEnumerable<Type> InItsAssembly(string name)
    {
        Type? type;
        try
        {
            type = Type.GetType(name, throwOnError: false);
        }
        catch (Exception exception) when (exception is ArgumentException or IOException or BadImageFormatException or TypeLoadException)
        {
            type = null; // a name out of shape, or an assembly that cannot be loaded: not found either way
        }

        return type is null ? [] : [type];
    }

    private static IEnumerable<Type> InLoadedAssemblies(string name)
    {
        try
        {
            return [.. AppDomain.CurrentDomain.GetAssemblies().Select(assembly => assembly.GetType(name, throwOnError: false)).OfType<Type>().Distinct()];
        }
        catch (Exception exception) when (exception is ArgumentException or IOException or BadImageFormatException or TypeLoadException)
        {
            return []; // a name out of shape
        }
    }

    private static string Hint(string name)
    {
        var simpleName = name.Split(',')[0].Split('.', '+')[^1].Trim();
        string[] sameName = [.. AppDomain.CurrentDomain.GetAssemblies()
            .SelectMany(Types)
            .Where(type => type.Name.Equals(simpleName, StringComparison.OrdinalIgnoreCase) && typeof(Exception).IsAssignableFrom(type))
            .Select(type => type.FullName ?? type.Name)
            .Distinct()
            .Order(StringComparer.Ordinal)
            .Take(3)];
        return sameName.Length > 0
            ? $", did you mean '{string.Join("' or '", sameName)}'?"
            : "; where its assembly is not loaded at start-up, name it too: 'Namespace.Type, Assembly'";
    }

    private static IEnumerable<Type> Types(Assembly assembly)
    {
        try
        {
            return assembly.GetTypes();
        }
        catch (ReflectionTypeLoadException exception)
        {
            return exception.Types.OfType<Type>();
        }
    }

    private static string QualifiedName(Type type) => $"{type.FullName}, {type.Assembly.GetName().Name}";
}
